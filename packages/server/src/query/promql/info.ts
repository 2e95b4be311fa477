// The function info: labels of info metrics joined to the elements of the same target. @see prometheus promql/info.go
import { AndonError, type LabelMatcher, type Labels, labelsKey } from '@andon/model'
import { RE2JS } from 're2js'
import type { QueryContext } from './context.ts'
import { merged } from './elements.ts'
import { labelMatch, valueMatch } from './label-match.ts'
import { type PointElement, pointsAt } from './selectors.ts'
import type { Times } from './times.ts'
import { element, get, type GridElement, HISTOGRAM, set } from './vector.ts'

/** The labels that say which target it is. */
const IDENTIFYING = ['instance', 'job']
const TARGET_INFO: LabelMatcher = { name: '__name__', operator: '=', value: 'target_info' }
/** What counts as an info metric when only names that are not wanted are given. */
const ANY_INFO: LabelMatcher = { name: '__name__', operator: '=~', value: '.+_info' }

interface Wanted {
  readonly names: readonly LabelMatcher[]
  /** On the labels that are joined; without any, all are. */
  readonly data: readonly LabelMatcher[]
}

function wantedOf(matchers: readonly LabelMatcher[]): Wanted {
  const names = matchers.filter(({ name }) => name === '__name__')
  const data = matchers.filter(({ name }) => name !== '__name__')
  if (names.length === 0) return { names: [TARGET_INFO], data }
  return { names: names.some(({ operator }) => operator === '=' || operator === '=~') ? names : [...names, ANY_INFO], data }
}

function identifying(base: readonly GridElement[]): LabelMatcher[] {
  return IDENTIFYING.flatMap((name) => {
    const values = [...new Set(base.map(({ labels }) => labels[name] ?? '').filter((value) => value !== ''))]
    return values.length === 0 ? [] : [{ name, operator: '=~' as const, value: values.map((value) => RE2JS.quote(value)).join('|') }]
  })
}

function targetOf(labels: Labels): string {
  return labelsKey(Object.fromEntries(IDENTIFYING.map((name) => [name, labels[name] ?? ''])))
}

/** Info series by target and name. */
type InfoSeries = ReadonlyMap<string, ReadonlyMap<string, readonly PointElement[]>>

function byTarget(series: readonly PointElement[]): InfoSeries {
  const found = new Map<string, Map<string, PointElement[]>>()
  for (const each of series) {
    const target = targetOf(each.labels)
    let names = found.get(target)
    if (names === undefined) found.set(target, (names = new Map()))
    const name = each.labels['__name__'] ?? ''
    names.set(name, [...(names.get(name) ?? []), each])
  }
  return found
}

/** The newest of the info series of one name at a step. */
function newest(series: readonly PointElement[], step: number): PointElement | undefined {
  let found: PointElement | undefined
  for (const each of series) {
    if (get(each, step) === undefined) continue
    if (each.present[step] === HISTOGRAM) throw new AndonError('query_failed', 'info sample should be float')
    const [time, best] = [each.when[step] ?? 0, found?.when[step] ?? -Infinity]
    if (time === best) throw new AndonError('query_failed', `found duplicate series for info metric: existing ${labelsKey(found?.labels ?? {})}, new ${labelsKey(each.labels)} @ ${time}`)
    if (time > best) found = each
  }
  return found
}

/** The labels that info series add to an element at a step; undefined when none matches. */
function addedAt(base: GridElement, infos: ReadonlyMap<string, readonly PointElement[]> | undefined, step: number, { data }: Wanted): Record<string, string> | undefined {
  let isFound = false
  const added: Record<string, string> = {}
  for (const series of infos?.values() ?? []) {
    const found = newest(series, step)
    if (found === undefined) continue
    isFound = true
    for (const [name, value] of Object.entries(found.labels)) {
      if (name === '__name__' || (data.length > 0 && !data.some((matcher) => matcher.name === name))) continue
      if (added[name] !== undefined && added[name] !== value) throw new AndonError('query_failed', `conflicting label: ${name}`)
      if (base.labels[name] === undefined) added[name] = value
    }
  }
  return isFound ? added : undefined
}

function enriched(base: GridElement, infos: InfoSeries, wanted: Wanted, steps: number): GridElement[] {
  const results = new Map<string, GridElement>()
  const series = infos.get(targetOf(base.labels))
  const isOptional = wanted.data.every((matcher) => valueMatch(matcher)(''))
  for (let step = 0; step < steps; step += 1) {
    const value = get(base, step)
    const added = value === undefined ? undefined : addedAt(base, series, step, wanted)
    if (value === undefined || (added === undefined && !isOptional)) continue
    const labels = { ...base.labels, ...added }
    const key = labelsKey(labels)
    let result = results.get(key)
    if (result === undefined) results.set(key, (result = element(labels, steps, base.dropName)))
    set(result, step, value)
  }
  return [...results.values()]
}

/**
 * info(v, {…}): the elements with the labels of the info metrics of their targets.
 *
 * @param times - as of when the info metrics are read
 * @throws AndonError query_failed when info metrics contradict each other
 */
export async function info(context: QueryContext, base: readonly GridElement[], matchers: readonly LabelMatcher[], { times, steps }: { times: Times; steps: number }): Promise<GridElement[]> {
  const wanted = wantedOf(matchers)
  const conditions = wanted.names.map(labelMatch)
  const isInfo = ({ labels }: GridElement): boolean => conditions.every((holds) => holds(labels))
  const targets = identifying(base.filter((each) => !isInfo(each)))
  const series = targets.length === 0 ? [] : await pointsAt(context, [...wanted.names, ...targets, ...wanted.data], times, steps)
  const infos = byTarget(series)
  return merged(base.flatMap((each) => (isInfo(each) ? [each] : enriched(each, infos, wanted, steps))))
}
