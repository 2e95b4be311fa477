// Rows of the metric tables as TSV.
import { sortedPairs } from '@andon/model'
import { atSchema } from './histogram-value.ts'
import type { Buckets, ExemplarRow, HistogramRow, HistogramValue, MetadataRow, SampleRow, SeriesRow } from './metric-rows.ts'
import { TsvRows } from './tsv.ts'

export const META_COLUMNS: readonly string[] = ['name', 'otel_name', 'type', 'unit', 'help', 'last_seen']
export const SERIES_COLUMNS: readonly string[] = ['id', 'name', 'type', 'labels', 'last_seen']
export const SAMPLE_COLUMNS: readonly string[] = ['id', 'ts', 'start', 'v', 'flags', 'inc']
export const EXEMPLAR_COLUMNS: readonly string[] = ['id', 'ts', 'v', 'trace_id', 'span_id', 'attrs']
export const HISTOGRAM_COLUMNS: readonly string[] = [
  'id', 'ts', 'start', 'form', 'schema', 'zero_threshold', 'zero', 'n', 'sm', 'mn', 'mx', 'pos', 'neg', 'bounds', 'hint', 'flags',
  'inc_schema', 'inc_zero', 'inc_n', 'inc_sm', 'inc_pos', 'inc_neg',
]

/** Bits of `flags`. */
export const STALE = 1
export const DELTA = 2

/** The finest schema of rollups: 8 buckets per power of two. */
const ROLLUP_SCHEMA = 3

export function metadataTsv(rows: readonly MetadataRow[], seconds: number): TsvRows {
  const tsv = new TsvRows()
  for (const row of rows) tsv.text(row.name).text(row.otelName).text(row.type).text(row.unit).text(row.help).number(seconds).end()
  return tsv
}

export function seriesTsv(rows: readonly SeriesRow[], seconds: number): TsvRows {
  const tsv = new TsvRows()
  for (const row of rows) {
    const pairs = sortedPairs(row.labels)
    tsv.number(row.id).text(row.labels['__name__'] ?? '').text(row.type)
    tsv.textMap(pairs.filter(([name]) => name !== '__name__')).number(seconds).end()
  }
  return tsv
}

/** The longest row of a sample: five numbers of up to 26 characters, a flag, tabs. */
const SAMPLE_ROW = 192
/** What ten digits of seconds can say. */
const LAST_MS = 9_999_999_999_999

/** Rows of samples that are written one after another, without an object for each. */
export class SampleRows {
  readonly tsv: TsvRows

  /** @param count - about how many will come */
  constructor(count: number) {
    this.tsv = new TsvRows(1024 + count * 72)
  }

  /**
   * @param id - of the series, in decimal
   * @param sample - `ts` whole milliseconds before 2286, `flags` as the table has them
   */
  add(id: Uint8Array, { ts, start, value, flags, increase }: Pick<SampleRow, 'ts' | 'start' | 'value' | 'increase'> & { readonly flags: number }): void {
    const out = this.tsv.reserve(SAMPLE_ROW)
    out.copy(id)
    out.tab()
    out.milliseconds(ts)
    out.tab()
    out.milliseconds(start > 0 && start <= LAST_MS ? start : 0)
    out.tab()
    out.number(value)
    out.tab()
    out.integer(flags)
    out.tab()
    out.number(increase)
    this.tsv.commitRow()
  }
}

/** @param tsv - rows that they are appended to */
export function sampleTsv(rows: readonly SampleRow[], tsv: TsvRows = new TsvRows(rows.length * 64)): TsvRows {
  for (const row of rows) {
    const flags = (row.stale ? STALE : 0) | (row.delta ? DELTA : 0)
    tsv.number(row.id).milliseconds(row.ts).milliseconds(row.start).number(row.value).number(flags).number(row.increase).end()
  }
  return tsv
}

export function exemplarTsv(rows: readonly ExemplarRow[]): TsvRows {
  const tsv = new TsvRows()
  for (const row of rows) {
    tsv.number(row.id).milliseconds(row.ts).number(row.value).raw(Buffer.from(row.traceId.padStart(32, '0'), 'hex'))
    tsv.number(BigInt(`0x${row.spanId === '' ? '0' : row.spanId}`)).textMap(sortedPairs(row.attributes)).end()
  }
  return tsv
}

const EMPTY: HistogramValue = { schema: 0, zeroThreshold: 0, zeroCount: 0, count: 0, sum: 0, positive: new Map(), negative: new Map(), bounds: [] }

/** The highest count that a rollup holds; more is nothing that was counted. */
const COUNT_MAX = 2 ** 53

/** A count as a whole number that its column holds; 0 for what is none. */
function whole(count: number): number {
  return count > 0 ? Math.min(Math.round(count), COUNT_MAX) : 0
}

/** Rollups hold whole counts and 16-bit indices. */
function rounded(buckets: Buckets): [number, number][] {
  return [...buckets].map(([index, count]): [number, number] => [index, whole(count)]).filter(([index, count]) => count > 0 && index >= -32_768 && index <= 32_767)
}

/** What the table calls the hints. */
const HINTS = { gauge: 'gauge', reset: 'reset', same: 'not_reset', unknown: 'unknown' } as const

export function histogramTsv(rows: readonly HistogramRow[]): TsvRows {
  const tsv = new TsvRows(rows.length * 256)
  for (const row of rows) {
    const { value } = row
    tsv.number(row.id).milliseconds(row.ts).milliseconds(row.start).text(row.form).number(value.schema)
    tsv.number(value.zeroThreshold).number(value.zeroCount).number(value.count).number(value.sum).number(row.min).number(row.max)
    tsv.valueMap(value.positive).valueMap(value.negative).numbers(value.bounds).text(HINTS[value.hint ?? 'unknown']).number(row.stale ? STALE : 0)
    const increase = row.increase === undefined ? EMPTY : atSchema(row.increase, ROLLUP_SCHEMA)
    tsv.number(increase.schema).number(whole(increase.zeroCount)).number(whole(increase.count)).number(increase.sum)
    tsv.valueMap(rounded(increase.positive)).valueMap(rounded(increase.negative)).end()
  }
  return tsv
}
