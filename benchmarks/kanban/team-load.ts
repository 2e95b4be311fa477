// A team at work on a kanban at a fixed rate of requests, whatever the answers take.
import { setTimeout as wait } from 'node:timers/promises'

const PEOPLE = 6
const TICK_MS = 5
/** Requests without an answer past which the kanban does not keep up. */
const MAX_UNDER_WAY = 200

interface Report {
  readonly requests: number
  readonly failures: number
}

interface Worker {
  begin(): Promise<void>
  act(): Promise<void>
}

/** What is used of the kanban's own traffic. */
interface Team {
  readonly Report: new () => Report
  readonly Worker: new (url: string, report: Report, random: () => number, index: number) => Worker
  readonly seeded: (seed: number) => () => number
}

/** The same people who do the same things, in the same order, on each kanban. */
export class TeamLoad {
  readonly #report: Report
  readonly #workers: readonly Worker[]
  #turn = 0
  #underWay = 0

  private constructor(report: Report, workers: readonly Worker[]) {
    this.#report = report
    this.#workers = workers
  }

  /** Logs the team in. */
  static async start(url: string): Promise<TeamLoad> {
    const { Report, Worker, seeded }: Team = await import(new URL('../../../apps/kanban/dist/team.js', import.meta.url).href)
    const report = new Report()
    const random = seeded(1)
    const workers = Array.from({ length: PEOPLE }, (_, index) => new Worker(url, report, random, index))
    for (const worker of workers) await worker.begin()
    return new TeamLoad(report, workers)
  }

  /** Requests answered so far, log-ins included. */
  get requests(): number {
    return this.#report.requests
  }

  /**
   * Works for a time, then waits for the last answers.
   *
   * @param perSecond - requests that are begun in a second
   * @returns requests that were answered
   * @throws Error when one failed, or the kanban does not keep up
   */
  async run(perSecond: number, seconds: number): Promise<number> {
    const before = this.#report.requests
    const begun = performance.now()
    for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - begun) / 1000) {
      // A thing that is done may be more than one request: those under way count as one until they are answered.
      while (this.#report.requests - before + this.#underWay < elapsed * perSecond) this.#act()
      if (this.#underWay > MAX_UNDER_WAY) throw new Error(`the kanban does not keep up with ${perSecond} requests per second`)
      await wait(TICK_MS)
    }
    while (this.#underWay > 0) await wait(TICK_MS)
    if (this.#report.failures > 0) throw new Error(`${this.#report.failures} requests failed`)
    return this.#report.requests - before
  }

  #act(): void {
    const worker = this.#workers[this.#turn % this.#workers.length]
    this.#turn += 1
    this.#underWay += 1
    // A failure is counted by the report.
    void worker?.act().then(
      () => (this.#underWay -= 1),
      () => (this.#underWay -= 1),
    )
  }
}
