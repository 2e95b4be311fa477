// The one place that decides which share of traces is kept: what the options and the server want, as far as the governor lets it.
import type { Ratio } from '@andon/model'
import type { Sampling } from './options.ts'
import { type Sampler, type SamplingLimit, UNLIMITED } from './sampler.ts'

export class SamplingPlan {
  readonly #own: Sampling
  readonly #sampler: Pick<Sampler, 'setSampling'>
  #wanted: Ratio | undefined
  #limit: SamplingLimit = UNLIMITED

  /** @param own - what holds while the server wants nothing */
  constructor(own: Sampling, sampler: Pick<Sampler, 'setSampling'>) {
    this.#own = own
    this.#sampler = sampler
  }

  /** What the server wants; undefined: the options' own share again. */
  want(ratio: Ratio | undefined): void {
    this.#wanted = ratio
    this.#apply()
  }

  /** How far the governor lowers what is wanted. */
  limit(limit: SamplingLimit): void {
    this.#limit = limit
    this.#apply()
  }

  /** The share of traces without a remote decision that is kept: never above what is wanted. */
  get ratio(): Ratio {
    return (this.#wanted ?? this.#own.ratio) * this.#limit.keep
  }

  #apply(): void {
    this.#sampler.setSampling({ ...this.#own, ratio: this.#wanted ?? this.#own.ratio }, this.#limit)
  }
}
