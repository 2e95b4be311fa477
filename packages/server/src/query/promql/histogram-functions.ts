// histogram_quantile, histogram_quantiles and histogram_fraction, of native histograms and of classic ones: series of
// cumulative buckets with a label `le`. @see prometheus promql/quantile.go
import { type Labels, labelsKey } from '@andon/model'
import type { HistogramValue } from '../../store/metric-rows.ts'
import { classicFraction, type ClassicBucket, classicQuantile } from './classic-histograms.ts'
import { forMetric, type Remarks } from './context.ts'
import { fractionOf, quantileOf, varianceOf } from './histogram/distribution.ts'
import { element, FLOAT, get, type GridElement, HISTOGRAM, set, withoutName } from './vector.ts'

/** `le` as a number; NaN where it is none. */
function limitOf(text: string): number {
  if (/^[+]?inf$/i.test(text)) return Infinity
  return text.trim() === '' ? Number.NaN : Number(text)
}

interface Group {
  readonly labels: Labels
  readonly dropName: boolean
  readonly classic: { readonly limit: number; readonly member: GridElement }[]
  readonly native: GridElement[]
}

/** Native histograms and the buckets of classic ones that have the same labels, `le` apart. */
function groups(elements: readonly GridElement[], remarks: Remarks): Group[] {
  const found = new Map<string, Group>()
  const groupOf = (labels: Labels, dropName: boolean): Group => {
    const key = labelsKey(labels)
    const held = found.get(key)
    if (held !== undefined) return held
    const group: Group = { labels, dropName, classic: [], native: [] }
    found.set(key, group)
    return group
  }
  for (const member of elements) {
    if (member.histograms !== undefined) groupOf(member.labels, member.dropName).native.push(member)
    if (!member.present.includes(FLOAT)) continue
    const { le = '', ...labels } = member.labels
    const limit = limitOf(le)
    if (Number.isNaN(limit)) remarks.warn(`bucket label "le" is missing or has a malformed value of ${JSON.stringify(le)}${forMetric(labels)}`)
    else groupOf(labels, member.dropName).classic.push({ limit, member })
  }
  return [...found.values()]
}

/** What a function makes of the histogram of each group and step. */
interface Functions {
  readonly native: (value: HistogramValue, step: number, labels: Labels) => number
  readonly classic: (buckets: ClassicBucket[], step: number, labels: Labels) => number | undefined
}

function bucketsAt({ classic }: Group, step: number): ClassicBucket[] {
  return classic.flatMap(({ limit, member }) => (member.present[step] === FLOAT ? [{ limit, count: member.values[step] ?? Number.NaN }] : []))
}

function applied(elements: readonly GridElement[], steps: number, remarks: Remarks, functions: Functions): GridElement[] {
  return groups(elements, remarks).map((group) => {
    const result = element(group.labels, steps, true)
    const ordered = { ...group, classic: group.classic.toSorted((a, b) => a.limit - b.limit) }
    for (let step = 0; step < steps; step += 1) {
      const native = group.native.map((member) => (member.present[step] === HISTOGRAM ? member.histograms?.[step] : undefined)).find((value) => value !== undefined)
      const buckets = bucketsAt(ordered, step)
      if (native !== undefined && buckets.length > 0) {
        remarks.warn(`vector contains a mix of classic and native histograms${forMetric(group.labels)}`)
        continue
      }
      const value = native === undefined ? (buckets.length === 0 ? undefined : functions.classic(buckets, step, group.labels)) : functions.native(native, step, group.labels)
      if (value !== undefined) set(result, step, value)
    }
    return result
  })
}

const NAN_REMARKS = { nan: 'result is NaN', skewed: 'result is skewed higher' } as const

/** histogram_quantile: q may differ from step to step. */
export function histogramQuantile(elements: readonly GridElement[], q: (step: number) => number, steps: number, remarks: Remarks): GridElement[] {
  return applied(elements, steps, remarks, {
    native: (value, step, labels) => {
      const { quantile, remark } = quantileOf(value, q(step))
      if (remark !== undefined) remarks.info(`input to histogram_quantile has NaN observations, ${NAN_REMARKS[remark]}${forMetric(labels)}`)
      return quantile
    },
    classic: (buckets, step, labels) => {
      const { quantile, fixed } = classicQuantile(q(step), buckets)
      if (fixed) remarks.info(`input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${forMetric(labels)}`)
      return quantile
    },
  })
}

/** histogram_fraction between two limits, which may differ from step to step. */
export function histogramFraction(elements: readonly GridElement[], limits: (step: number) => readonly [lower: number, upper: number], steps: number, remarks: Remarks): GridElement[] {
  return applied(elements, steps, remarks, {
    native: (value, step, labels) => {
      if (Number.isNaN(value.sum) && value.count > 0) remarks.info(`input to histogram_fraction has NaN observations, which are excluded from all fractions${forMetric(labels)}`)
      return fractionOf(value, ...limits(step))
    },
    classic: (buckets, step) => classicFraction(buckets, ...limits(step)),
  })
}

/** Functions of one histogram by name; floats have none of them. */
export const HISTOGRAM_NUMBERS: Readonly<Record<string, (value: HistogramValue) => number>> = {
  histogram_count: ({ count }) => count,
  histogram_sum: ({ sum }) => sum,
  histogram_avg: ({ sum, count }) => sum / count,
  histogram_stddev: (value) => Math.sqrt(varianceOf(value)),
  histogram_stdvar: varianceOf,
}

/** A number of each histogram. */
export function numbersOf(elements: readonly GridElement[], steps: number, number: (value: HistogramValue) => number): GridElement[] {
  return elements
    .filter(({ histograms }) => histograms !== undefined)
    .map((each) => {
      const result = element(each.labels, steps, true)
      for (let step = 0; step < steps; step += 1) {
        const value = get(each, step)
        if (value !== undefined && typeof value !== 'number') set(result, step, number(value))
      }
      return result
    })
}

/** The same elements with a label that says which quantile they are. */
export function labelled(elements: readonly GridElement[], name: string, value: string): GridElement[] {
  return elements.map((each) => ({ ...each, labels: { ...withoutName(each.labels), [name]: value } }))
}
