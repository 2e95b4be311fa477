// What a target exposes, as points of its series.
import type { Labels, Milliseconds } from '@andon/model'
import type { ExpositionFamily } from '@andon/wire'
import { beginning, KEY_MAX } from '../attributes.ts'
import type { Described, SamplePoint } from '../points.ts'
import { typeInFamily, writtenExemplar, writtenSample } from '../written-points.ts'

/** The labels of a sample of a target: the target's own win, the sample's of the same name stay as `exported_…`. */
function labelsOf(name: string, own: Labels, target: Labels): Labels {
  const labels: Record<string, string> = { __name__: name }
  for (const [key, value] of Object.entries(own)) {
    if (value === '') continue
    let kept = key
    while (Object.hasOwn(target, kept) || kept === '__name__') kept = `exported_${kept}`
    labels[kept] = value
  }
  return { ...labels, ...target }
}

/** @param ts - when it was scraped: the time of what brings none of its own */
export function scrapedPoints(families: readonly ExpositionFamily[], target: Labels, ts: Milliseconds): { readonly points: SamplePoint[]; readonly described: Described[] } {
  const points: SamplePoint[] = []
  const described: Described[] = []
  for (const family of families) {
    const { type, help, unit = '', samples } = family
    // A counter is known by the name of its samples, which not everyone ends with _total.
    const name = type === 'counter' ? (samples.find((each) => !each.name.endsWith('_created'))?.name ?? family.name) : family.name
    if (type !== 'unknown' && name.length <= KEY_MAX) described.push({ name, otelName: '', type, unit: beginning(unit, 63), help: beginning(help, 1024) })
    for (const sample of samples) {
      const { exemplar, value } = sample
      const exemplars = exemplar === undefined ? [] : [writtenExemplar(exemplar.labels, exemplar.value, exemplar.timestamp ?? ts)]
      points.push(writtenSample(labelsOf(sample.name, sample.labels, target), { ts: sample.timestamp ?? ts, value, type: typeInFamily(type, sample.name), exemplars }))
    }
  }
  return { points, described }
}
