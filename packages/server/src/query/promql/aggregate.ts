// Aggregations over the elements of a vector, step by step.
import { AndonError, type Labels, labelsKey } from '@andon/model'
import { summed } from './native-histograms.ts'
import { promQuantile, sum } from './range-functions.ts'
import { element, type GridElement, numberText, set } from './vector.ts'

/** What an aggregation needs besides its vector. */
export interface Aggregation {
  readonly op: string
  readonly grouping: readonly string[]
  readonly without: boolean
  /** The parameter at each step: of topk, bottomk, quantile, limitk. */
  readonly param: (step: number) => number
  /** The label that count_values writes to. */
  readonly label: string
  readonly steps: number
}

function groupLabels(labels: Labels, { grouping, without }: Pick<Aggregation, 'grouping' | 'without'>): Labels {
  if (without) return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__' && !grouping.includes(name)))
  return Object.fromEntries(grouping.flatMap((name) => (labels[name] === undefined || labels[name] === '' ? [] : [[name, labels[name]]])))
}

interface Group {
  readonly labels: Labels
  readonly members: GridElement[]
}

function groups(elements: readonly GridElement[], aggregation: Aggregation): Group[] {
  const found = new Map<string, Group>()
  for (const member of elements) {
    const labels = groupLabels(member.labels, aggregation)
    const key = labelsKey(labels)
    const group = found.get(key)
    if (group === undefined) found.set(key, { labels, members: [member] })
    else group.members.push(member)
  }
  return [...found.values()]
}

function variance(values: readonly number[]): number {
  const mean = sum(values) / values.length
  return sum(values.map((value) => (value - mean) ** 2)) / values.length
}

function meanOf(values: readonly number[]): number {
  const total = sum(values)
  if (!Number.isFinite(total) && values.every(Number.isFinite)) return values.reduce((m, value, index) => m + (value / (index + 1) - m / (index + 1)), 0)
  return total / values.length
}

/** NaN gives way to any number. */
function extreme(values: readonly number[], better: (a: number, b: number) => boolean): number {
  return values.reduce((best, value) => (better(value, best) || Number.isNaN(best) ? value : best), Number.NaN)
}

type Reduce = (values: readonly number[], param: number) => number

const REDUCTIONS: Readonly<Record<string, Reduce>> = {
  sum: (values) => sum(values),
  avg: meanOf,
  count: (values) => values.length,
  group: () => 1,
  min: (values) => extreme(values, (a, b) => a < b),
  max: (values) => extreme(values, (a, b) => a > b),
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: variance,
  quantile: (values, q) => promQuantile(values, q),
}

function reduced(group: Group, reduce: Reduce, { steps, param }: Aggregation): GridElement {
  const result = element(group.labels, steps)
  for (let step = 0; step < steps; step += 1) {
    const values: number[] = []
    for (const { values: all, present } of group.members) if (present[step] === 1) values.push(all[step] ?? Number.NaN)
    if (values.length > 0) set(result, step, reduce(values, param(step)))
  }
  return result
}

/** Floats and histograms of a group apart: histograms have a sum and a mean, and can be counted. */
function reducedBoth(group: Group, reduce: Reduce, aggregation: Aggregation): GridElement[] {
  const { op, steps } = aggregation
  const native = group.members.filter(({ histograms }) => histograms !== undefined)
  if (native.length === 0 || op === 'count' || op === 'group') return [reduced(group, reduce, aggregation)]
  const floats = group.members.filter(({ histograms }) => histograms === undefined)
  const results = floats.length === 0 ? [] : [reduced({ ...group, members: floats }, reduce, aggregation)]
  return op === 'sum' || op === 'avg' ? [...results, summed(group.labels, native, steps, op === 'avg')] : results
}

/** topk, bottomk, limitk: some of the elements as they are. */
function chosen(group: Group, { op, steps, param }: Aggregation): GridElement[] {
  const results = group.members.map(({ labels }) => element(labels, steps))
  const sign = op === 'topk' ? -1 : 1
  for (let step = 0; step < steps; step += 1) {
    const k = Math.floor(param(step))
    if (Number.isNaN(k)) throw new AndonError('query_failed', `${op}: its parameter is NaN`)
    const here = group.members.map((member, index) => ({ index, value: member.values[step] ?? Number.NaN })).filter(({ index }) => group.members[index]?.present[step] === 1)
    // NaN comes last in either order.
    const order = op === 'limitk' ? here : here.toSorted((a, b) => (Number.isNaN(a.value) ? 1 : Number.isNaN(b.value) ? -1 : sign * (a.value - b.value)))
    for (const { index, value } of order.slice(0, Math.max(0, k))) {
      const result = results[index]
      if (result !== undefined) set(result, step, value)
    }
  }
  return results.filter(({ present }) => present.includes(1))
}

function countedValues(group: Group, { label, steps }: Aggregation): GridElement[] {
  const results = new Map<string, GridElement>()
  for (const { values, present } of group.members) {
    for (let step = 0; step < steps; step += 1) {
      if (present[step] !== 1) continue
      const text = numberText(values[step] ?? Number.NaN)
      let result = results.get(text)
      if (result === undefined) results.set(text, (result = element({ ...group.labels, [label]: text }, steps)))
      set(result, step, (result.values[step] ?? 0) + 1)
    }
  }
  return [...results.values()]
}

/**
 * Aggregates the elements of a vector.
 *
 * @throws AndonError query_failed when the operation is not known or its parameter is NaN
 */
export function aggregate(elements: readonly GridElement[], aggregation: Aggregation): GridElement[] {
  const { op } = aggregation
  const found = groups(elements, aggregation)
  const reduce = REDUCTIONS[op]
  if (reduce !== undefined) return found.flatMap((group) => reducedBoth(group, reduce, aggregation))
  if (op === 'topk' || op === 'bottomk' || op === 'limitk') return found.flatMap((group) => chosen(group, aggregation))
  if (op === 'count_values') return found.flatMap((group) => countedValues(group, aggregation))
  throw new AndonError('query_failed', `the aggregation ${op} is not supported`)
}
