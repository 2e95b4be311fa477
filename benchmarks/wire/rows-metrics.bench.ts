import { type Benchmark, sampleTemplates } from '@andon/bench'
import { type Labels, labelsKey, seriesId } from '@andon/model'
import { prometheusLabelName, prometheusName } from '@andon/wire'
import { bigOf, collector, type DecodedMetric, type DecodedMetrics, type DecodedPoint, type KeyValue, plainOf, signedOf, SUBJECT } from './protobufjs.ts'
import { type Rows, serverModule } from './server.ts'

const NOW = Date.now()
/** One request as a collector sends it of 20 processes. */
const [template] = sampleTemplates('otlp', 20, { fromMs: NOW, stepMs: 1 })
if (template === undefined) throw new Error('there is no request')
template.stamp(1)
const { bytes, items: count } = template

const { TsvRows } = await serverModule('store/tsv.js')
const { MetricIngest } = await serverModule('ingest/metrics.js')
const { SampleReader } = await serverModule('ingest/sample-reader.js')
const { columnRows } = await serverModule('ingest/columns-rows.js')
const { sampleIncrease } = await serverModule('ingest/increase.js')
const { defaultLimits } = await serverModule('runtime/limits.js')
const { OwnMetrics } = await serverModule('runtime/own-metrics.js')

/** Rows of samples and of the series target_info, which is left out here. */
function ours(): () => Rows {
  const clock = { now: () => NOW, sleep: () => Promise.resolve() }
  const sink = { write: () => Promise.resolve(), previousSamples: () => Promise.resolve(new Map()), previousHistograms: () => Promise.resolve(new Map()) }
  const ingest = new MetricIngest(sink, { clock, limits: defaultLimits, own: new OwnMetrics(), retentionDays: 15 })
  const reader = new SampleReader(ingest.placer)
  return () => columnRows([reader.read(bytes).columns]).rows.tsv
}

interface Held {
  readonly id: bigint
  previous: { readonly ts: number; readonly start: number; readonly value: number } | null
}

const milliseconds = (ns: bigint): number => Number(ns / 1_000_000n)
const textOf = (each: KeyValue): string => String(plainOf(each))

function pointsOf({ gauge, sum }: DecodedMetric): readonly DecodedPoint[] {
  return gauge?.dataPoints ?? sum?.dataPoints ?? []
}

function valueOf({ asInt, asDouble }: DecodedPoint): number {
  return asInt !== undefined && asInt !== null ? Number(signedOf(asInt)) : (asDouble ?? 0)
}

/** What a server does with the objects of protobufjs: labels, the series that they name, its increase, and the row. */
class Writer {
  readonly #series = new Map<string, Held>()

  write(decoded: DecodedMetrics): Rows {
    const rows = new TsvRows(count * 80)
    for (const { resource, scopeMetrics } of decoded.resourceMetrics) {
      const said = new Map(resource.attributes.map((each) => [each.key, textOf(each)]))
      const service = said.get('service.name') ?? ''
      const source = { job: service, instance: said.get('service.instance.id') ?? '', service_name: service, service_version: said.get('service.version') ?? '', deployment_environment_name: said.get('deployment.environment.name') ?? '' }
      for (const { metrics } of scopeMetrics) for (const metric of metrics) this.#metric(rows, metric, source)
    }
    return rows
  }

  #metric(rows: Rows, metric: DecodedMetric, source: Labels): void {
    const isCounter = metric.sum?.isMonotonic === true
    const name = prometheusName(metric.name, metric.unit ?? '', isCounter ? 'counter' : metric.gauge ? 'gauge' : 'updown')
    for (const point of pointsOf(metric)) {
      const labels: Record<string, string> = { __name__: name, ...source }
      for (const each of point.attributes) labels[prometheusLabelName(each.key)] = textOf(each)
      const key = labelsKey(labels)
      let held = this.#series.get(key)
      if (held === undefined) this.#series.set(key, (held = { id: seriesId(labels), previous: null }))
      const [ts, start, value] = [milliseconds(bigOf(point.timeUnixNano)), milliseconds(bigOf(point.startTimeUnixNano)), valueOf(point)]
      const increase = isCounter ? sampleIncrease(ts, start, value, held.previous) : 0
      if (isCounter) held.previous = { ts, start, value }
      rows.number(held.id).milliseconds(ts).milliseconds(start).number(value).number(0).number(increase)
      rows.end()
    }
  }
}

function theirs(): () => Rows {
  const { ExportMetricsServiceRequest } = collector().metrics.v1
  const writer = new Writer()
  return () => writer.write(ExportMetricsServiceRequest.decode(bytes))
}

/** The rows in the order of their text, without those of series that nobody sent. */
function sorted(rows: Rows): string[] {
  return rows.bytes().toString('latin1').split('\n').filter((line) => line !== '').toSorted()
}

/** @throws Error where the two do not write the same */
function checked(work: () => Rows, other: () => Rows): () => Rows {
  const [mine, others] = [new Set(sorted(work())), new Set(sorted(other()))]
  const fewer = mine.size < others.size ? mine : others
  const more = fewer === mine ? others : mine
  const missing = [...fewer].find((line) => !more.has(line))
  // Ours has the series target_info of each of the 20 processes as well.
  if (missing !== undefined || Math.abs(mine.size - others.size) > 20) throw new Error(`the rows differ: ${mine.size} and ${others.size}; ${missing ?? ''}`)
  return work
}

export const benchmark: Benchmark = {
  title: `${count.toLocaleString('en')} samples of an OTLP request to rows of the table`,
  unit: 'samples',
  perIteration: count,
  subjects: { andon: () => checked(ours(), theirs()), [SUBJECT]: () => checked(theirs(), ours()) },
}
