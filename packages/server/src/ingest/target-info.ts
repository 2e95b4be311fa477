// One series `target_info` for each resource: its attributes that are no labels of every series.
import type { Labels, Milliseconds, Resource } from '@andon/model'
import { stringOf } from '../store/cells.ts'
import { describeSource } from '../store/source.ts'
import type { SamplePoint, SeriesPoint } from './points.ts'

const OWN_ATTRIBUTES = new Set(['service.name', 'service.namespace', 'service.instance.id', 'service.version', 'deployment.environment.name'])

/** Its point; undefined where the resource says nothing else, or not whose it is. */
export function targetInfo(resource: Resource, ts: Milliseconds): SamplePoint | undefined {
  const entries = Object.entries(resource.attributes).filter(([key]) => !OWN_ATTRIBUTES.has(key))
  if (entries.length === 0 || describeSource(resource).job === '') return undefined
  const attributes: Labels = Object.fromEntries(entries.map(([key, value]) => [key, stringOf(value)]))
  return { kind: 'sample', resource, name: 'target_info', attributes, extra: {}, type: 'info', ts, start: 0, stale: false, exemplars: [], value: 1, delta: false }
}

/**
 * The points of the resources of these points, each at the time of its latest one.
 *
 * @param others - the latest of further points of resources
 */
export function targetInfos(points: readonly SeriesPoint[], others: ReadonlyMap<Resource, Milliseconds>): SamplePoint[] {
  const latest = new Map(others)
  for (const { resource, labels, ts } of points) if (labels === undefined) latest.set(resource, Math.max(ts, latest.get(resource) ?? 0))
  return [...latest].flatMap(([resource, ts]) => targetInfo(resource, ts) ?? [])
}
