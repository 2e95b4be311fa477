// Scrapes the targets of the configuration, each at its interval, spread over it.
import { type Bytes, type Labels, type Milliseconds, xxHash64 } from '@andon/model'
import type { Clock } from '../../runtime/clock.ts'
import type { ScrapeJob } from './jobs.ts'
import { Target, type TargetDeps, type TargetState } from './target.ts'

export interface ScraperOptions {
  readonly jobs: readonly ScrapeJob[]
  /** Of an answer, unpacked. */
  readonly maxBytes: Bytes
}

/** A target as `/api/v1/targets` tells it. */
export interface ScrapedTarget extends TargetState {
  readonly job: string
  readonly intervalMs: Milliseconds
  readonly timeoutMs: Milliseconds
}

export class Scraper {
  readonly #clock: Clock
  readonly #targets: readonly { readonly job: ScrapeJob; readonly target: Target }[]
  readonly #ends: (() => void)[] = []
  readonly #running = new Set<Promise<void>>()

  constructor({ jobs, maxBytes }: ScraperOptions, deps: TargetDeps) {
    this.#clock = deps.clock
    this.#targets = jobs.flatMap((job) =>
      job.targets.map((host) => {
        const labels: Labels = { ...job.labels, job: job.job, instance: host }
        const { scheme, path, timeoutMs, headers, sampleLimit: maxSamples } = job
        return { job, target: new Target({ url: `${scheme}://${host}${path}`, labels, timeoutMs, headers, maxBytes, maxSamples }, deps) }
      }),
    )
  }

  /** All targets begin within their first interval, each at a time of its own. */
  start(): void {
    for (const { job, target } of this.#targets) {
      const offset = Number(xxHash64(target.state.url) % BigInt(job.intervalMs))
      this.#ends.push(
        this.#clock.after(offset, () => {
          this.#scrape(target)
          this.#ends.push(this.#clock.every(job.intervalMs, () => this.#scrape(target)))
        }),
      )
    }
  }

  #scrape(target: Target): void {
    const run = target.scrape().finally(() => this.#running.delete(run))
    this.#running.add(run)
  }

  states(): ScrapedTarget[] {
    return this.#targets.map(({ job, target }) => ({ ...target.state, job: job.job, intervalMs: job.intervalMs, timeoutMs: job.timeoutMs }))
  }

  /** Begins no scrape any more and waits for those under way. */
  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await Promise.all(this.#running)
  }
}
