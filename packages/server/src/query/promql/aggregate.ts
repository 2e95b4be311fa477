// Aggregations over the elements of a vector, step by step.
import { AndonError, type Labels, labelsKey } from '@andon/model'
import type { Aggregation, Group } from './aggregation.ts'
import { chosen } from './choose.ts'
import { checkSize, mapWithBreath, type QueryContext } from './context.ts'
import { histogramText, numberText, shortNumber } from './number-text.ts'
import { histogramTotal, mean, promQuantile, sum, variance } from './over-time.ts'
import { collided } from './range-call.ts'
import { element, FLOAT, get, type GridElement, HISTOGRAM, METADATA_LABELS, set } from './vector.ts'

/** The labels of the group that an element belongs to. */
export function groupLabels(labels: Labels, { grouping, without }: Pick<Aggregation, 'grouping' | 'without'>): Labels {
  if (without) return Object.fromEntries(Object.entries(labels).filter(([name]) => !METADATA_LABELS.includes(name) && !grouping.includes(name)))
  return Object.fromEntries(grouping.flatMap((name) => (labels[name] === undefined || labels[name] === '' ? [] : [[name, labels[name]]])))
}

function groups(elements: readonly GridElement[], aggregation: Aggregation): Group[] {
  const found = new Map<string, Group>()
  for (const member of elements) {
    const labels = groupLabels(member.labels, aggregation)
    const key = labelsKey(labels)
    const group = found.get(key)
    if (group === undefined) found.set(key, { labels, dropName: member.dropName, members: [member] })
    else {
      group.members.push(member)
      group.dropName ||= member.dropName
    }
  }
  return [...found.values()]
}

/** NaN gives way to any number. */
function extreme(values: Float64Array, better: (a: number, b: number) => boolean): number {
  let best = Number.NaN
  for (const value of values) if (better(value, best) || Number.isNaN(best)) best = value
  return best
}

type Reduce = (values: Float64Array, param: number) => number

const REDUCTIONS: Readonly<Record<string, Reduce>> = {
  sum: (values) => sum(values),
  avg: (values) => mean(values),
  count: (values) => values.length,
  group: () => 1,
  min: (values) => extreme(values, (a, b) => a < b),
  max: (values) => extreme(values, (a, b) => a > b),
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: (values) => variance(values),
  quantile: (values, q) => promQuantile([...values], q),
}

/** Aggregations that a histogram takes part in as any sample does. */
const OF_ANY_KIND: ReadonlySet<string> = new Set(['count', 'group'])

/** The sum or the mean of histograms at a step. */
function histogramStep(result: GridElement, group: Group, step: number, { op, remarks }: Aggregation): void {
  const list = group.members.flatMap((member) => (member.present[step] === HISTOGRAM ? (member.histograms?.[step] ?? []) : []))
  const total = histogramTotal(list, op === 'avg')
  if (total === undefined) {
    remarks.warn('vector contains a mix of histograms with exponential and custom buckets schemas')
    return
  }
  if (total.sum.collided) collided(remarks, 'aggregation')
  if (total.sum.reconciled) remarks.info('mismatched custom buckets were reconciled during aggregation')
  set(result, step, total.value)
}

function reduced(group: Group, reduce: Reduce, aggregation: Aggregation): GridElement {
  const { op, steps, param, remarks } = aggregation
  const result = element(group.labels, steps, group.dropName)
  const scratch = new Float64Array(group.members.length)
  const anyKind = OF_ANY_KIND.has(op)
  for (let step = 0; step < steps; step += 1) {
    let [floats, histograms] = [0, 0]
    for (const { values, present } of group.members) {
      const kind = present[step]
      if (kind === FLOAT || (kind === HISTOGRAM && anyKind)) {
        scratch[floats] = values[step] ?? Number.NaN
        floats += 1
      } else if (kind === HISTOGRAM) histograms += 1
    }
    if (histograms > 0) {
      if (op !== 'sum' && op !== 'avg') remarks.info(`ignored histogram in ${op} aggregation`)
      else if (floats > 0) {
        remarks.warn('encountered a mix of histograms and floats for aggregation')
        continue
      } else histogramStep(result, group, step, aggregation)
    }
    if (floats > 0) set(result, step, reduce(scratch.subarray(0, floats), param(step)))
  }
  return result
}

/** How often each value occurs: the value becomes a label, and what then has the same labels is counted. */
function countedValues(context: QueryContext, elements: readonly GridElement[], aggregation: Aggregation): GridElement[] {
  const { label, steps, without, grouping } = aggregation
  // Asked to do without the label that it writes, count_values does without it.
  const by = { without, grouping: without ? grouping : [...grouping, label] }
  const results = new Map<string, GridElement>()
  for (const member of elements) {
    const named = new Map<string, GridElement>()
    const resultOf = (text: string): GridElement => {
      const labels = groupLabels({ ...member.labels, [label]: text }, by)
      const key = labelsKey(labels)
      const result = results.get(key) ?? element(labels, steps, member.dropName)
      results.set(key, result)
      // Each value that occurs is a series of its own over all steps.
      checkSize(context, results.size, steps)
      named.set(text, result)
      return result
    }
    for (let step = 0; step < steps; step += 1) {
      const value = get(member, step)
      if (value === undefined) continue
      const text = typeof value === 'number' ? numberText(value) : histogramText(value)
      const result = named.get(text) ?? resultOf(text)
      set(result, step, (result.values[step] ?? 0) + 1)
    }
  }
  return [...results.values()]
}

function checkQuantile({ op, param, steps, paramRemarks }: Aggregation): void {
  if (op !== 'quantile') return
  for (let step = 0; step < steps; step += 1) {
    const q = param(step)
    if (!(q >= 0 && q <= 1)) paramRemarks.warn(`quantile value should be between 0 and 1, got ${shortNumber(q)}`)
  }
}

/**
 * Aggregates the elements of a vector.
 *
 * @throws AndonError query_failed when the operation is not known or its parameter is NaN
 */
export async function aggregate(context: QueryContext, elements: readonly GridElement[], aggregation: Aggregation): Promise<GridElement[]> {
  const { op, label } = aggregation
  const found = groups(elements, aggregation)
  const reduce = REDUCTIONS[op]
  const perGroup = elements.length / Math.max(1, found.length)
  if (reduce !== undefined) {
    if (elements.length > 0) checkQuantile(aggregation)
    return await mapWithBreath(context, found, aggregation.steps * perGroup, (group) => reduced(group, reduce, aggregation))
  }
  if (op === 'count_values') {
    if (label === '' || /\p{Surrogate}/u.test(label)) throw new AndonError('query_failed', `invalid label name ${JSON.stringify(label)}`)
    return countedValues(context, elements, aggregation)
  }
  return (await mapWithBreath(context, found, aggregation.steps * perGroup, (group) => chosen(group, aggregation))).flat()
}
