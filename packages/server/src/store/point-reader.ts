// Points of series from the tables of samples and histograms: small reads together with others, large ones alone.
import { AndonError, type TimeRange } from '@andon/model'
import type { Database } from './database.ts'
import { JointReads } from './joint-reads.ts'
import { HISTOGRAM_WEIGHT } from './known-series.ts'
import { COUNT_CELLS, HISTOGRAM_CELLS, readHistograms, readSamples, runWithin, SAMPLE_CELLS, type SampleRun, type StoredHistogram } from './metric-read.ts'
import { i64, ids, type Sql, sql, u32 } from './sql.ts'
import { untilGone } from './until-gone.ts'

/** Whether the buckets of histograms are wanted, or their counts and sums alone. */
export type HistogramCells = 'buckets' | 'counts'

export interface ReadOptions {
  /** Points at most. */
  readonly most: number
  readonly signal?: AbortSignal | undefined
}

const CELLS: Readonly<Record<HistogramCells, Sql>> = { buckets: HISTOGRAM_CELLS, counts: COUNT_CELLS }
/** Of a joined read, which is small. */
const JOINED: ReadOptions = { most: 10_000_000 }

type Runs = ReadonlyMap<bigint, SampleRun>
type Histograms = ReadonlyMap<bigint, readonly StoredHistogram[]>

function tooMany(most: number): AndonError {
  return new AndonError('query_too_large', `the selector reads more than ${most} samples`)
}

/** @param range - whole milliseconds, both ends included */
function ofSeries(series: readonly bigint[], { start, end }: TimeRange): Sql {
  return sql`id IN ${ids(series)} AND ts >= fromUnixTimestamp64Milli(${i64(start)}) AND ts <= fromUnixTimestamp64Milli(${i64(end)})`
}

async function readRuns(database: Database, series: readonly bigint[], range: TimeRange, { most, signal }: ReadOptions): Promise<Runs> {
  const { rows, runs } = readSamples(await database.native(sql`SELECT ${SAMPLE_CELLS} FROM andon.samples WHERE ${ofSeries(series, range)} ORDER BY id, ts LIMIT ${u32(most + 1)}`, signal))
  if (rows > most) throw tooMany(most)
  return runs
}

async function readRows(database: Database, series: readonly bigint[], range: TimeRange, { cells, most, signal }: ReadOptions & { readonly cells: HistogramCells }): Promise<Histograms> {
  const bytes = await database.binary(sql`SELECT ${CELLS[cells]} FROM andon.hist WHERE ${ofSeries(series, range)} ORDER BY id, ts LIMIT ${u32(most + 1)}`, signal)
  const found = new Map<bigint, StoredHistogram[]>()
  let read = 0
  for (const row of readHistograms(bytes)) {
    read += 1
    if (read > most) throw tooMany(most)
    const rows = found.get(row.id)
    if (rows === undefined) found.set(row.id, [row])
    else rows.push(row)
  }
  return found
}

/** Those that were asked for, of a joint answer. */
function chosen<T extends SampleRun | readonly StoredHistogram[]>(series: readonly bigint[], found: ReadonlyMap<bigint, T>, most: number, { within, lengthOf }: { readonly within: (points: T) => T; readonly lengthOf: (points: T) => number }): ReadonlyMap<bigint, T> {
  const own = new Map<bigint, T>()
  let read = 0
  for (const id of series) {
    const points = found.get(id)
    if (points === undefined) continue
    const kept = within(points)
    if (lengthOf(kept) > 0) own.set(id, kept)
    read += lengthOf(kept)
    if (read > most) throw tooMany(most)
  }
  return own
}

/** Holds nothing but what is being read. May be used concurrently. */
export class PointReader {
  readonly #database: Database
  readonly #samples: JointReads<SampleRun>
  readonly #histograms: Readonly<Record<HistogramCells, JointReads<readonly StoredHistogram[]>>>

  constructor(database: Database) {
    this.#database = database
    const joint = (cells: HistogramCells): JointReads<readonly StoredHistogram[]> => new JointReads({ read: async (series, range) => await readRows(database, series, range, { cells, ...JOINED }), weight: HISTOGRAM_WEIGHT })
    this.#samples = new JointReads({ read: async (series, range) => await readRuns(database, series, range, JOINED), weight: 1 })
    this.#histograms = { buckets: joint('buckets'), counts: joint('counts') }
  }

  /**
   * Rows of series in the order of their times; series without any are absent.
   *
   * @param range - both ends are included
   * @throws AndonError query_too_large past the most
   */
  async samples(series: readonly bigint[], { start, end }: TimeRange, options: ReadOptions): Promise<Runs> {
    if (series.length === 0) return new Map()
    const range = { start: Math.ceil(start), end: Math.floor(end) }
    if (!this.#samples.isSmall(series.length, range)) return await readRuns(this.#database, series, range, options)
    const found = await untilGone(this.#samples.read(series, range), options.signal)
    return chosen(series, found, options.most, { within: (run) => runWithin(run, range), lengthOf: ({ ts }) => ts.length })
  }

  /** The same of histograms. */
  async histograms(series: readonly bigint[], { start, end }: TimeRange, cells: HistogramCells, options: ReadOptions): Promise<Histograms> {
    if (series.length === 0) return new Map()
    const range = { start: Math.ceil(start), end: Math.floor(end) }
    const joint = this.#histograms[cells]
    if (!joint.isSmall(series.length, range)) return await readRows(this.#database, series, range, { cells, ...options })
    const found = await untilGone(joint.read(series, range), options.signal)
    return chosen(series, found, options.most, { within: (rows) => rows.filter(({ ts }) => ts >= range.start && ts <= range.end), lengthOf: ({ length }) => length })
  }
}
