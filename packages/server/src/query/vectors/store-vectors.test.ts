// The same files over the embedded database: what is written there and read back is what was meant.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type LabelMatcher, type Labels, labelsKey, type Milliseconds, seriesId } from '@andon/model'
import { FakeClock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { openTestStore } from '../../store/fixture.test.ts'
import type { Store } from '../../store/index.ts'
import type { HistogramRow, SampleRow, SeriesRow } from '../../store/metric-rows.ts'
import type { Retention } from '../../store/retention.ts'
import type { SourceSeries } from '../promql/context.ts'
import { EXPECTED_STORE_FAILURES } from './expected-failures.test.ts'
import { type LoadedSeries, MemorySource, slice, withStoreHints } from '../memory/memory-source.ts'
import { labelsOf, type Load } from '../memory/notation.ts'
import { files, type LoadableSource, missing, run } from './run.test.ts'

/** The files begin at the epoch, of which nothing is kept any more: what is written lies this much later. A multiple of all steps, so that nothing moves within one. */
const SHIFT: Milliseconds = Date.UTC(2026, 0, 1)
/** The longest there is: some files reach months far. */
const RETENTION: Retention = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
/** A label that keeps apart what is loaded before and after a `clear`. */
const EPOCH = '__epoch__'

const folder = mkdtempSync(join(tmpdir(), 'andon-vectors-'))
let store: Store

before(async () => {
  if (missing === false) store = await openTestStore({ dataDir: folder, log: silentLog, clock: new FakeClock(Date.UTC(2026, 5, 1)), retention: RETENTION })
})
after(async () => {
  if (missing === false) await store.close()
  rmSync(folder, { recursive: true })
})

const EMPTY = { schema: 0, zeroThreshold: 0, zeroCount: 0, count: 0, sum: 0, positive: new Map(), negative: new Map(), bounds: [] }

interface Rows {
  readonly series: SeriesRow[]
  readonly samples: SampleRow[]
  readonly histograms: HistogramRow[]
}

function addRows(rows: Rows, { points }: LoadedSeries, labels: Labels): void {
  const id = seriesId(labels)
  const ordered = withStoreHints([...points.values()].toSorted((a, b) => a.time - b.time))
  const isNative = ordered.some(({ value }) => typeof value === 'object')
  rows.series.push({ id, type: isNative ? 'histogram' : 'gauge', labels })
  for (const { time, value, start: begun } of ordered) {
    const ts = time + SHIFT
    const start = begun === 0 ? 0 : begun + SHIFT
    if (typeof value === 'number' || (value === 'stale' && !isNative)) rows.samples.push({ id, ts, start, value: value === 'stale' ? 0 : value, stale: value === 'stale', delta: false, increase: 0 })
    else rows.histograms.push({ id, ts, start, form: 'cumulative', value: value === 'stale' ? EMPTY : value, min: Infinity, max: -Infinity, stale: value === 'stale', increase: undefined })
  }
}

let epochs = 0

class StoreSource implements LoadableSource {
  #memory = new MemorySource()
  readonly #written = new Set<string>()
  readonly #found = new Map<string, readonly SourceSeries[]>()
  #epoch = `${(epochs += 1)}`

  clear(): void {
    this.#memory = new MemorySource()
    this.#written.clear()
    this.#found.clear()
    this.#epoch = `${(epochs += 1)}`
  }

  /** Writes what is new. A series that is loaded a second time is written anew as a whole, with all others, in an epoch of its own. */
  async load(command: Load): Promise<void> {
    this.#memory.load(command)
    this.#found.clear()
    const isAgain = command.series.some(({ metric }) => this.#written.has(labelsKey(labelsOf(metric.replace(/@st$/, '')))))
    if (isAgain) {
      this.#epoch = `${(epochs += 1)}`
      this.#written.clear()
    }
    const rows: Rows = { series: [], samples: [], histograms: [] }
    for (const [key, series] of this.#memory.loaded) if (!this.#written.has(key)) addRows(rows, series, { ...series.labels, [EPOCH]: this.#epoch })
    for (const key of this.#memory.loaded.keys()) this.#written.add(key)
    await store.metrics.write({ ...rows, metadata: [], exemplars: [] })
  }

  /** Reads each selector once for all times: a file asks for the same ones over and over. */
  async select(matchers: readonly LabelMatcher[], range: { start: number; end: number }): Promise<readonly SourceSeries[]> {
    const key = JSON.stringify(matchers)
    let found = this.#found.get(key)
    if (found === undefined) this.#found.set(key, (found = await this.#read(matchers)))
    return found.map((series) => slice(series, range.start, range.end)).filter(({ ts }) => ts.length > 0)
  }

  async #read(matchers: readonly LabelMatcher[]): Promise<readonly SourceSeries[]> {
    const found = await store.metrics.select([...matchers, { name: EPOCH, operator: '=', value: this.#epoch }], { start: SHIFT, end: SHIFT + 1e11 })
    return found.map((series) => ({ ...series, ts: series.ts.map((time) => time - SHIFT), start: series.start.map((time) => (time === 0 ? 0 : time - SHIFT)), labels: Object.fromEntries(Object.entries(series.labels).filter(([name, value]) => name !== EPOCH && value !== '')) }))
  }
}

test("Prometheus' test files over the embedded database", { skip: missing }, async (t) => {
  for (const name of files) {
    await t.test(name, async () => {
      const { problems, passed } = await run(name, new StoreSource(), { known: EXPECTED_STORE_FAILURES, alsoAsRange: false })
      t.diagnostic(`${name}: ${passed} passed, ${problems.length} failed`)
      assert.equal(problems.length, 0, `${problems.length} of ${problems.length + passed} evaluations\n  ${problems.join('\n  ')}`)
    })
  }
})
