// Which series a point belongs to: its labels, its id, and the limit on how many series a service may have.
import { type Attributes, type Labels, labelsKey, type Milliseconds, type Resource, xxHash64 } from '@andon/model'
import { prometheusLabelName } from '@andon/wire'
import type { Limits } from '../runtime/limits.ts'
import { stringOf } from '../store/cells.ts'
import type { PreviousHistogram, PreviousSample } from '../store/metrics.ts'
import { describeSource } from '../store/source.ts'
import { beginning } from './attributes.ts'
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
  /** That the book holds it no more: what refers to it must look it up again. */
  isForgotten: boolean
  /** Which rows it was last a part of. @see Before */
  turn: number
  /** The id in decimal, as rows have it. */
  readonly idText: Uint8Array
}

const HOUR: Milliseconds = 3_600_000
/** How often what is full is looked through for series that have fallen silent: it may be full of what arrives. */
const SWEEP: Milliseconds = 10_000
/** UTF-16 units of labels that a remembered series has on average at most. */
const KEY_UNITS = 1024

/** Labels that say who sends; a point's own attribute of such a name is kept beside it as `exported_…`. */
function sourceLabels(resource: Resource): Labels {
  const { job, instance, service, env, version } = describeSource(resource)
  return cleanLabels({ job, instance, service_name: service, deployment_environment_name: env, service_version: version })
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

/** The two characters that part names and values where a series is identified: as part of a value they would make it another series. */
const SEPARATORS: readonly string[] = ['\u001E', '\u001F']

function clean(text: string): string {
  let cleaned = text
  for (const separator of SEPARATORS) if (cleaned.includes(separator)) cleaned = cleaned.replaceAll(separator, '\uFFFD')
  return cleaned
}

/** Labels of a series that brings them all. */
function cleanLabels(labels: Labels): Labels {
  const entries = Object.entries(labels)
  const isClean = entries.every(([name, value]) => clean(name) === name && clean(value) === value)
  return isClean ? labels : Object.fromEntries(entries.map(([name, value]) => [clean(name), clean(value)]))
}

/** Attributes as labels; two that become one label are joined by a semicolon, as OpenTelemetry's mapping asks. */
export function attributeLabels(attributes: Attributes, reserved: Labels, maxLength: number): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  for (const key of Object.keys(attributes).toSorted()) {
    const plain = prometheusLabelName(key)
    const name = Object.hasOwn(reserved, plain) || plain === '__name__' ? `exported_${plain}` : plain
    const value = clean(beginning(stringOf(attributes[key] ?? ''), maxLength))
    const held = labels[name]
    labels[name] = held === undefined ? value : `${held};${value}`
  }
  return labels
}

/** What became of a point: its series, and whether it went to the one that takes what is over the limit. */
export type Placed = { readonly series: RememberedSeries; readonly overflow: boolean } | undefined

function groupName({ service_name: service = '' }: Labels, { name }: SeriesPoint): string {
  return `${service}\n${name}`
}

/** The series of one service and metric that count against its limit. */
interface Group {
  readonly active: Map<string, RememberedSeries>
  /** When it was last looked through. */
  swept: Milliseconds
}

/**
 * The series that were active of late, bounded in number: for each service and metric, and in all. Not to be shared between two
 * ingesters of one store: the increase of a point is computed from what is remembered here.
 */
export class SeriesBook {
  readonly #limits: Limits
  readonly #series = new Map<string, RememberedSeries>()
  /** By service and metric. */
  readonly #groups = new Map<string, Group>()
  /** UTF-16 units of all keys. */
  #units = 0
  #swept: Milliseconds = -Infinity

  constructor(limits: Limits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#series.size
  }

  /**
   * The series of a point. Over the limit of its service and metric, or of all series, increments go to one series labelled
   * `otel_metric_overflow`; of others, which would read as resets there, undefined is answered.
   */
  place(point: SeriesPoint, now: Milliseconds): Placed {
    const given = point.labels === undefined ? undefined : cleanLabels(point.labels)
    const source = given === undefined ? sourceOf(point.resource) : writtenSource(given)
    const labels: Labels = { ...(given ?? { __name__: point.name, ...attributeLabels(point.attributes, source, this.#limits.attributeLength), ...point.extra }), ...source }
    const key = labelsKey(labels)
    const known = this.#series.get(key)
    if (known !== undefined) {
      // It was silent, and is one of its group's again.
      if (now - known.active > HOUR) this.#groupOf(groupName(source, point)).active.set(key, known)
      known.active = now
      return { series: known, overflow: false }
    }
    const group = groupName(source, point)
    if (this.#hasRoom(group, now) && this.#hasRoomInAll(now, 1)) return { series: this.#remember(key, labels, point, now, group), overflow: false }
    const isIncrement = point.kind === 'sample' ? point.delta : point.form === 'delta'
    return isIncrement ? this.#gathered(point, source, now) : undefined
  }

  /** Whether a series that was found before may be used without being placed again: it is held, and counts against the limit of its group. */
  isCurrent(series: RememberedSeries, now: Milliseconds): boolean {
    return !series.isForgotten && now - series.active <= HOUR
  }

  /** The series itself, or, where it was forgotten while its points waited, the one that is remembered in its place. */
  current(series: RememberedSeries, now: Milliseconds): RememberedSeries {
    if (!series.isForgotten) return series
    const key = labelsKey(series.labels)
    const { __name__: name = '', service_name: service = '' } = series.labels
    return this.#series.get(key) ?? this.#remember(key, series.labels, series, now, `${service}\n${name}`)
  }

  /** The series of what is over the limit; for these, room is kept. */
  #gathered(point: SeriesPoint, source: Labels, now: Milliseconds): Placed {
    const labels: Labels = { __name__: point.name, ...source, otel_metric_overflow: 'true' }
    const key = labelsKey(labels)
    const known = this.#series.get(key)
    if (known !== undefined) {
      known.active = now
      return { series: known, overflow: true }
    }
    return this.#hasRoomInAll(now, 1.1) ? { series: this.#remember(key, labels, point, now), overflow: true } : undefined
  }

  #groupOf(name: string): Group {
    let group = this.#groups.get(name)
    if (group === undefined) this.#groups.set(name, (group = { active: new Map(), swept: -Infinity }))
    return group
  }

  #hasRoom(name: string, now: Milliseconds): boolean {
    const group = this.#groups.get(name)
    if (group === undefined || group.active.size < this.#limits.seriesPerMetric) return true
    if (now - group.swept < SWEEP) return false
    group.swept = now
    for (const [key, series] of group.active) if (now - series.active > HOUR) group.active.delete(key)
    return group.active.size < this.#limits.seriesPerMetric
  }

  /** @param share - of the limit that may be taken */
  #hasRoomInAll(now: Milliseconds, share: number): boolean {
    const { seriesInMemory } = this.#limits
    const isFull = (): boolean => this.#series.size >= seriesInMemory * share || this.#units >= seriesInMemory * share * KEY_UNITS
    if (isFull() && now - this.#swept >= SWEEP) this.#forget(now)
    return !isFull()
  }

  /** @param group - against whose limit it counts */
  #remember(key: string, labels: Labels, { type }: Pick<SeriesPoint, 'type'>, now: Milliseconds, group?: string): RememberedSeries {
    const id = xxHash64(key)
    const series: RememberedSeries = { id, labels, type, written: -Infinity, active: now, previousSample: undefined, previousHistogram: undefined, isForgotten: false, turn: 0, idText: Uint8Array.from(Buffer.from(String(id), 'latin1')) }
    this.#series.set(key, series)
    this.#units += key.length
    if (group !== undefined) this.#groupOf(group).active.set(key, series)
    return series
  }

  /** Forgets what was silent for an hour; its previous points are read from the store again when it comes back. */
  #forget(now: Milliseconds): void {
    this.#swept = now
    for (const [key, series] of this.#series) {
      if (now - series.active <= HOUR) continue
      this.#series.delete(key)
      this.#units -= key.length
      series.isForgotten = true
    }
    for (const [name, { active }] of this.#groups) {
      for (const key of active.keys()) if (!this.#series.has(key)) active.delete(key)
      if (active.size === 0) this.#groups.delete(name)
    }
  }
}
