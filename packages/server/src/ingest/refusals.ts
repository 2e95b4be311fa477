// Which points cannot be kept, and how the sender is told.
import type { Milliseconds, Resource } from '@andon/model'
import type { Limits } from '../runtime/limits.ts'
import { stringOf } from '../store/cells.ts'
import { type Buckets, CUSTOM_BOUNDS, type HistogramValue } from '../store/metric-rows.ts'
import { describeSource } from '../store/source.ts'
import { KEY_MAX } from './attributes.ts'
import type { SeriesPoint } from './points.ts'

/** UTF-16 units of the names and values of all labels of one series. */
const LABELS_LENGTH_MAX = 16_384
/** Bounds of one histogram. */
const BOUNDS_MAX = 10_000
const INT32 = 2 ** 31
/** Of OpenTelemetry's exponential histograms, which reach further down than Prometheus' native ones. */
const [SCHEMA_MIN, SCHEMA_MAX] = [-10, 20]
const DAY: Milliseconds = 86_400_000

interface PointBounds {
  readonly limits: Pick<Limits, 'attributes' | 'attributeLength' | 'futureMs'>
  readonly now: Milliseconds
  readonly retentionDays: number
}

/** Why a point is not kept. `series`: its series is one too many. */
type Refusal = 'time' | 'name' | 'labels' | 'histogram' | 'series'

const ORDER: readonly Refusal[] = ['time', 'name', 'labels', 'histogram', 'series']

const lengths = new WeakMap<Resource, number>()

/** Of the labels that a resource gives to each of its points. */
function sourceLength(resource: Resource): number {
  let length = lengths.get(resource)
  if (length === undefined) {
    const { job, instance, service, env, version } = describeSource(resource)
    lengths.set(resource, (length = 80 + job.length + instance.length + service.length + env.length + version.length))
  }
  return length
}

function areLabelsFit(point: SeriesPoint, { attributes: most, attributeLength }: PointBounds['limits']): boolean {
  const { labels, attributes } = point
  const given = labels ?? attributes
  let length = labels === undefined ? sourceLength(point.resource) : 0
  let count = 0
  for (const key of Object.keys(given)) {
    const value = given[key] ?? ''
    const units = typeof value === 'string' ? value.length : stringOf(value).length
    // An attribute is cut; the labels of a series that brings them all are its identity.
    if (key.length > KEY_MAX || (labels !== undefined && (units > attributeLength || key.includes('\0')))) return false
    length += key.length + Math.min(units, attributeLength)
    count += 1
  }
  return count <= most && length <= LABELS_LENGTH_MAX
}

function isCount(value: number): boolean {
  return value >= 0 && value < Infinity
}

function areBuckets(buckets: Buckets): boolean {
  for (const [index, count] of buckets) if (!isCount(count) || index < -INT32 || index >= INT32) return false
  return true
}

function isHistogramFit({ schema, zeroThreshold, zeroCount, count, positive, negative, bounds }: HistogramValue): boolean {
  const isKnown = schema === CUSTOM_BOUNDS || (schema >= SCHEMA_MIN && schema <= SCHEMA_MAX)
  const areOrdered = bounds.length <= BOUNDS_MAX && bounds.every((bound, index) => !Number.isNaN(bound) && (index === 0 || bound > (bounds[index - 1] ?? 0)))
  return isKnown && areOrdered && [zeroThreshold, zeroCount, count].every(isCount) && areBuckets(positive) && areBuckets(negative)
}

/** Why a point cannot be kept; undefined when it can. */
export function refusalOf(point: SeriesPoint, bounds: PointBounds): Refusal | undefined {
  const { limits, now, retentionDays } = bounds
  // So that a time that is no number lies outside, too.
  const isInTime = point.ts <= now + limits.futureMs && point.ts >= now - retentionDays * DAY
  if (!isInTime) return 'time'
  // What has no name is called "_" by the translation.
  if (point.name === '' || point.name === '_' || point.name.length > KEY_MAX) return 'name'
  if (!areLabelsFit(point, limits)) return 'labels'
  return point.kind === 'histogram' && !point.stale && !isHistogramFit(point.value) ? 'histogram' : undefined
}

/** How many points of one request were refused, by reason. */
export class Refusals {
  readonly #counts = new Map<Refusal, number>()

  add(refusal: Refusal, count = 1): void {
    if (count > 0) this.#counts.set(refusal, (this.#counts.get(refusal) ?? 0) + count)
  }

  get counts(): ReadonlyMap<Refusal, number> {
    return this.#counts
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  /** What the sender is told; '' when nothing was refused. */
  message({ limits, retentionDays }: Omit<PointBounds, 'now'>): string {
    const reasons: Readonly<Record<Refusal, string>> = {
      time: `lie more than ${limits.futureMs / 60_000} minutes in the future or before the retention of ${retentionDays} days`,
      name: `have no name, or one of more than ${KEY_MAX} characters`,
      labels: `have more than ${limits.attributes} labels, more than ${LABELS_LENGTH_MAX} characters of labels, a name of a label of more than ${KEY_MAX} or with a zero byte, or a value of more than ${limits.attributeLength}`,
      histogram: 'are histograms whose counts, buckets or bounds do not fit each other',
      series: 'are of series over the limit of their service and metric, or of all series',
    }
    return ORDER.flatMap((refusal) => {
      const count = this.#counts.get(refusal)
      return count === undefined ? [] : [`${count} points ${reasons[refusal]}`]
    }).join('; ')
  }
}
