import { seeded } from '@andon/model'

/** Random numbers of several distributions from one seed. */
export class Chance {
  /** Within 0..1. */
  readonly uniform: () => number
  #spare: number | undefined

  constructor(seed: number) {
    this.uniform = seeded(seed)
  }

  normal(): number {
    const spare = this.#spare
    if (spare !== undefined) {
      this.#spare = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** Student's t of few degrees of freedom: a heavy tail. */
  student(freedom: number): number {
    let squares = 0
    for (let index = 0; index < freedom; index += 1) squares += this.normal() ** 2
    return this.normal() / Math.sqrt(squares / freedom)
  }

  poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()))
    const limit = Math.exp(-mean)
    let [count, product] = [0, this.uniform()]
    while (product > limit) {
      count += 1
      product *= this.uniform()
    }
    return count
  }

  binomial(n: number, p: number): number {
    if (p > 0.5) return n - this.binomial(n, 1 - p)
    if (n <= 40) {
      let hits = 0
      for (let index = 0; index < n; index += 1) if (this.uniform() < p) hits += 1
      return hits
    }
    if (n * p < 20) return Math.min(n, this.poisson(n * p))
    return Math.max(0, Math.min(n, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * this.normal())))
  }
}
