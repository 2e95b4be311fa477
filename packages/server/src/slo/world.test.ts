// A world for tests of objectives: requests that happened, a store in memory, a log, and who is told.
import { type Alert, type Milliseconds, type Objective } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import type { SloQuery, SloSlice, SpanCount, SpanCountQuery } from '../store/slo-slices.ts'
import type { RangeQuery } from './count-slices.ts'
import type { ObjectiveEntry } from './kept.ts'
import { ObjectiveManager } from './manager.ts'

export const START: Milliseconds = Date.UTC(2026, 10, 10, 12)

export interface Happened {
  readonly time: Milliseconds
  readonly service: string
  readonly failed: number
  readonly ok: number
}

/** Slices by their keys, the newest revision of each. */
class Slices {
  readonly rows: Map<string, SloSlice> = new Map()
  written: number = 0
  isBroken: boolean = false
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  write(slices: readonly SloSlice[]): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the disk is full'))
    this.written += slices.length
    for (const row of slices) this.rows.set(`${row.slo}\0${row.time}\0${row.route}\0${row.version}`, row)
    return Promise.resolve()
  }

  read({ slo, range }: SloQuery): Promise<SloSlice[]> {
    return Promise.resolve([...this.rows.values()].filter((row) => row.slo === slo && row.time >= range.start && row.time < range.end))
  }

  async course(query: SloQuery): Promise<{ time: Milliseconds; good: number; total: number }[]> {
    const rows = await this.read(query)
    const times = [...new Set(rows.map(({ time }) => time))].toSorted((a, b) => a - b)
    return times.map((time) => rows.filter((row) => row.time === time).reduce((sum, { good, total }) => ({ time, good: sum.good + good, total: sum.total + total }), { time, good: 0, total: 0 }))
  }

  countSpans({ range, sliceMs, limitsMs, services }: SpanCountQuery): Promise<SpanCount[]> {
    const found = this.#world.happened.filter(({ time, service }) => time >= range.start && time < range.end && (services?.includes(service) ?? true))
    return Promise.resolve(found.map(({ time, service, failed, ok }) => ({ service, env: '', version: '1', route: 'GET /', time: Math.floor(time / sliceMs) * sliceMs, ok, failed, okSquares: ok, failedSquares: failed, slow: limitsMs.map(() => 0) })))
  }
}

export class World {
  readonly clock: FakeClock = new FakeClock(START)
  readonly happened: Happened[] = []
  readonly slices: Slices = new Slices(this)
  readonly log: ObjectiveEntry[] = []
  readonly told: Alert[][] = []
  isLogBroken: boolean = false
  query: RangeQuery = () => Promise.resolve([])
  #manager: ObjectiveManager | undefined

  get manager(): ObjectiveManager {
    if (this.#manager === undefined) throw new Error('open it first')
    return this.#manager
  }

  async open(objectives: readonly Objective[], defaults = false): Promise<ObjectiveManager> {
    this.#manager = await ObjectiveManager.open(
      objectives,
      {
        query: (...args) => this.query(...args),
        slices: this.slices,
        receiver: { accept: (alerts) => Promise.resolve(void this.told.push([...alerts])) },
        log: {
          append: (rows) => (this.isLogBroken ? Promise.reject(new Error('the disk is full')) : Promise.resolve(this.log.push(...rows))),
          latest: () => Promise.resolve([...new Map(this.log.map((row) => [row.key, row])).values()].map(({ key, state, doc }) => ({ key, state, doc: JSON.parse(JSON.stringify(doc)) as unknown }))),
        },
        clock: this.clock,
        logger: silentLog,
        own: new OwnMetrics(),
      },
      { defaults, delayMs: 0, backfillMs: 6 * 3_600_000, externalUrl: () => 'http://andon' },
    )
    return this.#manager
  }

  /** Slices of fifteen seconds go by, in each of which so much happens, and objectives are evaluated after each. */
  async pass(slices: number, { ok, failed = 0, service = 'shop' }: { readonly ok: number; readonly failed?: number; readonly service?: string }): Promise<void> {
    for (let slice = 0; slice < slices; slice += 1) {
      if (ok + failed > 0) this.happened.push({ time: this.clock.now() + 1000, service, ok, failed })
      await this.clock.advance(15_000)
      await this.manager.evaluate()
    }
  }

  /** What was told at the last evaluation. */
  get last(): readonly Alert[] {
    return this.told.at(-1) ?? []
  }
}
