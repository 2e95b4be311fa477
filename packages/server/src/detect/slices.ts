// Reads slices of all series of the store: by PromQL, and of services of which no metric says how long requests take from their spans.
import { type Milliseconds, type TimeRange, xxHash64 } from '@andon/model'
import type { Evaluator, Grid, GridSeries, Values } from '../query/grid.ts'
import { COUNTS, SLICE_MS } from './parameters.ts'
import { type Reading, readings, type SeriesId, type SeriesSlices, signalOf, type SignalName, slowLimitExpression, slowReading } from './signals.ts'
import { seriesOfSpans, slowLimitsOf, type SpanSliceSource } from './span-slices.ts'

/** Slices of all series, of which the first begins at `start`. */
export interface SliceTable {
  readonly start: Milliseconds
  readonly count: number
  readonly series: readonly SeriesSlices[]
}

/** The key of a service's environment, and of a series. */
export const serviceKey = ({ service, environment }: Pick<SeriesId, 'service' | 'environment'>): string => `${service}\u001f${environment}`
export const seriesKey = (id: SeriesId): string => `${serviceKey(id)}\u001f${id.signal}\u001f${id.key}`
/** A series in an address: 16 hexadecimal digits. */
export const publicId = (id: SeriesId): string => xxHash64(seriesKey(id)).toString(16).padStart(16, '0')

const DAY: Milliseconds = 86_400_000

/** The last whole slice's end at a time. */
export const sliceFloor = (time: Milliseconds): Milliseconds => Math.floor(time / SLICE_MS) * SLICE_MS

function idOf(signal: SignalName, labels: GridSeries['labels']): SeriesId {
  const { service_name: service = '', deployment_environment_name: environment = '' } = labels
  const [system, address = '', port = ''] = signal === 'http-edge' ? ['', labels['server_address'], labels['server_port']] : [labels['db_system_name'] ?? '', labels['server_address'], labels['server_port']]
  const key = signalOf(signal).by.length === 0 ? '' : `${system === '' ? '' : `${system} `}${address}${port === '' ? '' : `:${port}`}`.trim()
  return { service, environment, signal, key }
}

const numbersOf = (values: Values | undefined, count: number): Float64Array => Float64Array.from({ length: count }, (_, index) => values?.[index] ?? Number.NaN)

/** A limit that many services share, so that one question serves them: two significant digits. */
const rounded = (limit: number): number => Number(limit.toPrecision(2))

/** Something of every service that is watched. */
const DATA = ['sum(increase(http_server_request_duration_seconds_count[1h]))', 'sum(count_over_time(process_cpu_utilization_ratio[1h]))']

/** What takes long for a service, in seconds, and when it was learned. */
interface SlowLimit {
  readonly limit: number
  readonly at: Milliseconds
}

/** Reads slices. Remembers what is slow for each service; one read at a time. */
export class SliceReader {
  readonly #evaluator: Evaluator
  readonly #spans: SpanSliceSource | undefined
  readonly #limits = new Map<string, SlowLimit>()
  /** Services that are read from spans. */
  #alone: ReadonlySet<string> = new Set()
  #askedAt = 0

  /** @param spans - absent where services are read from metrics alone */
  constructor(evaluator: Evaluator, spans?: SpanSliceSource) {
    this.#evaluator = evaluator
    this.#spans = spans
  }

  /** Whether the requests of a service are counted from its spans. */
  isFromSpans(service: string): boolean {
    return this.#alone.has(service)
  }

  /**
   * What takes long for a service, in seconds; undefined while that is not known.
   */
  slowLimit(service: Pick<SeriesId, 'service' | 'environment'>): number | undefined {
    return this.#limits.get(serviceKey(service))?.limit
  }

  /**
   * When the first slices of a range may have data, to the hour; its end where it has none. Asked of sums over hours, so that long empty times cost nothing.
   */
  async firstData({ start, end }: TimeRange): Promise<Milliseconds> {
    const hour = DAY / 24
    const first = Math.ceil(start / hour) * hour + hour
    const grid: Grid = { t: Array.from({ length: Math.max(0, Math.ceil((end - first) / hour)) + 1 }, (_, index) => first + index * hour), step: hour }
    const found = await Promise.all(DATA.map(async (expression) => await this.#evaluator.over(expression, grid)))
    const indices = found.flat().map(({ values }) => values.findIndex((value) => value !== null && value > 0)).filter((index) => index >= 0)
    const measured = indices.length === 0 ? end : Math.max(start, Math.min(end, first + (Math.min(...indices) - 1) * hour))
    const spans = await this.#spans?.first({ start, end })
    return spans === undefined ? measured : Math.min(measured, Math.max(start, Math.floor(spans / hour) * hour))
  }

  /** What was remembered before a restart. */
  setSlowLimit(service: Pick<SeriesId, 'service' | 'environment'>, limit: number, at: Milliseconds): void {
    this.#limits.set(serviceKey(service), { limit, at })
  }

  /**
   * All slices that begin within a range.
   *
   * @param range - its ends are multiples of a slice
   * @param services - of these services alone, at most; all when absent
   */
  async read(range: TimeRange, service?: string): Promise<SliceTable> {
    const count = Math.max(0, Math.round((range.end - range.start) / SLICE_MS))
    if (count === 0) return { start: range.start, count, series: [] }
    // A slice is asked for at its end.
    const grid: Grid = { t: Array.from({ length: count }, (_, index) => range.start + (index + 1) * SLICE_MS), step: SLICE_MS }
    const selector = service === undefined ? '' : `service_name=${JSON.stringify(service)}`
    const series = new Map<string, SeriesSlices>()
    const counted = new Map<string, Promise<readonly GridSeries[]>>()
    const over = (expression: string): Promise<readonly GridSeries[]> => {
      const known = counted.get(expression) ?? this.#evaluator.over(expression, grid)
      counted.set(expression, known)
      return known
    }
    const alone = (await this.#spans?.alone(range, service)) ?? []
    this.#note(alone, service)
    await this.#learnLimits(range.start, alone)
    // All at once: what they read of the store is then read together.
    const found = await Promise.all([...readings(selector), ...this.#slowReadings(service)].map(async (reading) => await this.#one(reading, count, over)))
    for (const one of found.flat()) series.set(seriesKey(one.id), one)
    const ofSpans = (await this.#spans?.read(alone, range, SLICE_MS)) ?? []
    for (const one of seriesOfSpans(ofSpans, range, (id) => this.slowLimit(id))) series.set(seriesKey(one.id), one)
    return { start: range.start, count, series: withSilence([...series.values()], count) }
  }

  async #one({ signal, value, count: countText }: Reading, count: number, over: (expression: string) => Promise<readonly GridSeries[]>): Promise<SeriesSlices[]> {
    const [found, counted] = await Promise.all([over(value), countText === '' ? [] : over(countText)])
    const counts = new Map(counted.map((one) => [seriesKey(idOf(signal, one.labels)), one]))
    const values = new Map(found.map((one) => [seriesKey(idOf(signal, one.labels)), one]))
    const isCount = signalOf(signal).points !== undefined
    // Where nothing failed there is no series of what failed.
    const labels = isCount ? [...counts.values()] : found
    return labels.flatMap((one) => {
      const id = idOf(signal, one.labels)
      if (id.service === '') return []
      const key = seriesKey(id)
      const own = numbersOf(values.get(key)?.values, count)
      const all = numbersOf(counts.get(key)?.values, count)
      if (isCount) for (let index = 0; index < count; index += 1) if (Number.isNaN(own[index] ?? 0)) own[index] = 0
      return [{ id, values: own, counts: all }]
    })
  }

  /** A service that sends metrics now is read from them. */
  #note(alone: readonly string[], service: string | undefined): void {
    const others = service === undefined ? [] : [...this.#alone].filter((each) => each !== service)
    this.#alone = new Set([...others, ...alone])
  }

  /** What services took, as the end of a day says it: in seconds, those that are slower than almost all. */
  async #usual(time: Milliseconds, alone: readonly string[]): Promise<{ readonly id: Pick<SeriesId, 'service' | 'environment'>; readonly value: number }[]> {
    const measured = await this.#evaluator.at(slowLimitExpression(DAY), time)
    const ofSpans = (await this.#spans?.durations(alone, { start: time - DAY, end: time })) ?? []
    return [...measured.map(({ labels, value }) => ({ id: idOf('slow', labels), value })), ...slowLimitsOf(ofSpans)]
  }

  /** Learned anew every day, from the day before; what is slow must not move while it is watched. */
  async #learnLimits(time: Milliseconds, alone: readonly string[]): Promise<void> {
    if (Math.abs(time - this.#askedAt) < DAY / 24) return
    this.#askedAt = time
    const found = await this.#usual(time, alone)
    // Of a service that has just begun the first hour is taken, until it has a day.
    const young = found.length === 0 ? await this.#usual(time + DAY / 24, alone) : []
    for (const { id, value } of [...found, ...young]) {
      const known = this.#limits.get(serviceKey(id))
      if (id.service === '' || !(value > 0) || (known !== undefined && Math.abs(time - known.at) < DAY)) continue
      const limit = rounded(value * COUNTS.slowFactor)
      const isNear = known !== undefined && limit < known.limit * COUNTS.slowMoves && limit > known.limit / COUNTS.slowMoves
      this.#limits.set(serviceKey(id), { limit: isNear ? known.limit : limit, at: time })
    }
  }

  #slowReadings(service: string | undefined): Reading[] {
    const byLimit = new Map<number, string[]>()
    for (const [key, { limit }] of this.#limits) {
      const [name = ''] = key.split('\u001f')
      if (service !== undefined && service !== name) continue
      byLimit.set(limit, [...(byLimit.get(limit) ?? []), name])
    }
    return [...byLimit].map(([limit, names]) => slowReading(`service_name=~${JSON.stringify(names.map(literal).join('|'))}`, limit))
  }
}

/** A name as an expression that matches nothing else. */
const literal = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

/** A service that is heard and has no requests has none: its throughput is 0, where otherwise it would be missing. */
function withSilence(series: readonly SeriesSlices[], count: number): readonly SeriesSlices[] {
  const heard = new Map(series.filter(({ id }) => id.signal === 'cpu').map((one) => [serviceKey(one.id), one]))
  for (const { id, values } of series) {
    const cpu = id.signal === 'throughput' ? heard.get(serviceKey(id)) : undefined
    if (cpu === undefined) continue
    for (let index = 0; index < count; index += 1) if (Number.isNaN(values[index] ?? 0) && !Number.isNaN(cpu.values[index] ?? Number.NaN)) values[index] = 0
  }
  return series
}
