// Rates of many series aggregated by group, some series at a time, so that no more of their points are held than are worked on.
import { type Labels, labelsKey } from '@andon/model'
import type { Aggregate, Expr, VectorSelector } from '@andon/promql'
import type { GroupOperation, WindowKind } from '../../store/rate-sums.ts'
import { groupLabels } from './aggregate.ts'
import { countSamples, mapWithBreath, type QueryContext, remarksOn } from './context.ts'
import { remarkNoCounter, remarkOverlap } from './range-call.ts'
import { RATE_KINDS } from './range-functions.ts'
import { rangeSeries } from './range-series.ts'
import { rateSteps, windowEnds } from './rate-steps.ts'
import { timesOf } from './times.ts'
import { element, FLOAT, type GridElement, set, type StepGrid } from './vector.ts'

/** An aggregation that the store can give, or of which it gives the series in parts. */
export interface Shape {
  readonly op: GroupOperation
  /** `rate` is aggregated here, the others in the database. */
  readonly kind: WindowKind | 'rate'
  /** The name of the function; '' where there is none. */
  readonly name: string
  readonly selector: VectorSelector
  readonly range: number
  /** The part of the expression that remarks are about. */
  readonly about: Expr
}

interface Group {
  readonly labels: Labels
  readonly values: Float64Array
  readonly counts: Uint32Array
}

/** Puts what a series has to what its group has. */
function join({ values, counts }: Group, { values: added, present }: GridElement, op: GroupOperation): void {
  const [isLeast, isGreatest] = [op === 'min', op === 'max']
  for (let step = 0; step < added.length; step += 1) {
    if (present[step] !== FLOAT) continue
    const held = values[step] ?? 0
    const value = added[step] ?? 0
    const count = counts[step] ?? 0
    counts[step] = count + 1
    if (count === 0) values[step] = value
    else if (!isLeast && !isGreatest) values[step] = held + value
    // NaN gives way to any number.
    else if ((isLeast ? value < held : value > held) || Number.isNaN(held)) values[step] = value
  }
}

function elementOf({ labels, values, counts }: Group, op: GroupOperation): GridElement {
  const result = element(labels, values.length)
  for (let step = 0; step < values.length; step += 1) {
    const [count, value] = [counts[step] ?? 0, values[step] ?? 0]
    if (count > 0) set(result, step, op === 'count' ? count : op === 'avg' ? value / count : value)
  }
  return result
}

/**
 * The elements of an aggregation of rates or increases.
 *
 * @returns undefined where the series are to be read at once: few points, or native histograms
 */
export async function ratesInParts(context: QueryContext, expr: Aggregate, { op, name, selector, range, about }: Shape, grid: StepGrid): Promise<GridElement[] | undefined> {
  const { floatParts: source, signal, maxSamples } = context
  const kind = RATE_KINDS[name]
  if (source === undefined || kind === undefined) return undefined
  const times = timesOf(selector, grid, context)
  const options = { maxSamples, ...(signal !== undefined && { signal }) }
  // Left-open: a point exactly at the start does not belong.
  const parts = await source.floatParts(selector.matchers, { start: times.first - range + 1, end: times.last }, context.pushDownFrom, options)
  if (parts === undefined) return undefined
  const ends = windowEnds(times, grid.count, range)
  const remarks = remarksOn(context, about)
  const groups = new Map<string, Group>()
  const scratch = element({}, grid.count)
  let metric = ''
  for await (const part of parts) {
    await mapWithBreath(context, part, grid.count, (each) => {
      countSamples(context, each.ts.length)
      const series = rangeSeries(each)
      scratch.present.fill(0)
      if (rateSteps(series.floats, ends, kind, scratch)) remarkOverlap({ series, remarks })
      metric ||= each.labels['__name__'] ?? ''
      const labels = groupLabels(each.labels, expr)
      const key = labelsKey(labels)
      const group = groups.get(key) ?? { labels, values: new Float64Array(grid.count), counts: new Uint32Array(grid.count) }
      groups.set(key, group)
      join(group, scratch, op)
    })
  }
  const elements = [...groups.values()].map((group) => elementOf(group, op))
  remarkNoCounter(name, metric, elements, remarks)
  return elements
}
