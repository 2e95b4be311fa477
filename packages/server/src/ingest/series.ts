// Which series a point belongs to: its labels, its id, and the limit on how many series a service may have.
import { type Attributes, type Labels, labelsKey, type Milliseconds, type Resource, xxHash64 } from '@andon/model'
import { prometheusLabelName } from '@andon/wire'
import type { Limits } from '../runtime/limits.ts'
import { stringOf } from '../store/cells.ts'
import type { PreviousHistogram, PreviousSample } from '../store/metrics.ts'
import { describeSource } from '../store/source.ts'
import type { SeriesPoint } from './points.ts'

/** A series that the ingester remembers. */
export interface RememberedSeries {
  readonly id: bigint
  readonly labels: Labels
  readonly type: SeriesPoint['type']
  /** When its row was last written; -Infinity when it was not. */
  written: Milliseconds
  /** When a point of it last arrived. */
  active: Milliseconds
  /** Its last stored cumulative point: undefined when not looked up yet, null when there is none. */
  previousSample: PreviousSample | null | undefined
  previousHistogram: PreviousHistogram | null | undefined
}

const HOUR = 3_600_000

/** Labels that say who sends; a point's own attribute of such a name is kept beside it as `exported_…`. */
function sourceLabels(resource: Resource): Labels {
  const { job, instance, service, env, version } = describeSource(resource)
  return { job, instance, service_name: service, deployment_environment_name: env, service_version: version }
}

const sources = new WeakMap<Resource, Labels>()

function sourceOf(resource: Resource): Labels {
  let labels = sources.get(resource)
  if (labels === undefined) sources.set(resource, (labels = sourceLabels(resource)))
  return labels
}

/** Series that bring all their labels are a service's by their job, and keep them. */
function writtenSource({ job = '', instance = '', service_name: service = job }: Labels): Labels {
  return { job, instance, service_name: service }
}

/** Attributes as labels; two that become one label are joined by a semicolon, as OpenTelemetry's mapping asks. */
export function attributeLabels(attributes: Attributes, reserved: Labels, maxLength: number): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  for (const key of Object.keys(attributes).toSorted()) {
    const plain = prometheusLabelName(key)
    const name = plain in reserved || plain === '__name__' ? `exported_${plain}` : plain
    const value = stringOf(attributes[key] ?? '').slice(0, maxLength)
    const held = labels[name]
    labels[name] = held === undefined ? value : `${held};${value}`
  }
  return labels
}

/** What became of a point: its series, and whether it went to the one that takes what is over the limit. */
export type Placed = { readonly series: RememberedSeries; readonly overflow: boolean } | undefined

/**
 * The series that were active of late, bounded in number. Not to be shared between two ingesters of one store: the
 * increase of a point is computed from what is remembered here.
 */
export class SeriesBook {
  readonly #limits: Limits
  readonly #series = new Map<string, RememberedSeries>()
  /** Active series by service and metric. */
  readonly #active = new Map<string, Map<string, RememberedSeries>>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#series.size
  }

  /**
   * The series of a point. Over the limit of its service and metric, increments go to one series labelled
   * `otel_metric_overflow`; of others, which would read as resets there, undefined is answered.
   */
  place(point: SeriesPoint, now: Milliseconds): Placed {
    const source = point.labels === undefined ? sourceOf(point.resource) : writtenSource(point.labels)
    const labels: Labels = point.labels === undefined ? { __name__: point.name, ...attributeLabels(point.attributes, source, this.#limits.attributeLength), ...point.extra, ...source } : { ...point.labels, ...source }
    const key = labelsKey(labels)
    const known = this.#series.get(key)
    if (known !== undefined) {
      known.active = now
      return { series: known, overflow: false }
    }
    const group = `${source['service_name'] ?? ''}\n${point.name}`
    if (this.#hasRoom(group, now)) return { series: this.#remember(key, labels, point, group, now), overflow: false }
    const isIncrement = point.kind === 'sample' ? point.delta : point.form === 'delta'
    if (!isIncrement) return undefined
    const gathered: Labels = { __name__: point.name, ...source, otel_metric_overflow: 'true' }
    const gatheredKey = labelsKey(gathered)
    return { series: this.#series.get(gatheredKey) ?? this.#remember(gatheredKey, gathered, point, group, now), overflow: true }
  }

  #hasRoom(group: string, now: Milliseconds): boolean {
    const active = this.#active.get(group)
    if (active === undefined || active.size < this.#limits.seriesPerMetric) return true
    for (const [key, series] of active) if (now - series.active > HOUR) active.delete(key)
    return active.size < this.#limits.seriesPerMetric
  }

  #remember(key: string, labels: Labels, { type }: SeriesPoint, group: string, now: Milliseconds): RememberedSeries {
    const series: RememberedSeries = { id: xxHash64(key), labels, type, written: -Infinity, active: now, previousSample: undefined, previousHistogram: undefined }
    if (this.#series.size >= this.#limits.seriesInMemory) this.#forget()
    this.#series.set(key, series)
    let active = this.#active.get(group)
    if (active === undefined) this.#active.set(group, (active = new Map()))
    active.set(key, series)
    return series
  }

  /** Forgets the tenth that was silent for longest; their previous points are read from the store again when they come back. */
  #forget(): void {
    const oldest = [...this.#series].toSorted(([, a], [, b]) => a.active - b.active).slice(0, Math.max(1, this.#limits.seriesInMemory / 10))
    for (const [key] of oldest) this.#series.delete(key)
    for (const [group, active] of this.#active) {
      for (const key of active.keys()) if (!this.#series.has(key)) active.delete(key)
      if (active.size === 0) this.#active.delete(group)
    }
  }
}
