// Elements of a vector as a set: which of them are the same, sorting, and what is left at the end of a query.
import { AndonError, type Labels, labelsKey, sortedPairs } from '@andon/model'
import { ABSENT, FLOAT, get, type GridElement, set, type VectorValue, withoutName } from './vector.ts'

const DUPLICATE = 'vector cannot contain metrics with the same labelset'

/** Elements with the same labels become one; that they have a value at the same time is an error. */
export function merged(elements: readonly GridElement[]): GridElement[] {
  const found = new Map<string, GridElement>()
  for (const each of elements) {
    const key = labelsKey(each.labels)
    const held = found.get(key)
    if (held === undefined) {
      found.set(key, each)
      continue
    }
    const both: GridElement = { ...held, values: held.values.slice(), present: held.present.slice(), ...(held.histograms !== undefined && { histograms: held.histograms.slice() }) }
    for (let step = 0; step < each.present.length; step += 1) {
      const value = get(each, step)
      if (value === undefined) continue
      if (both.present[step] !== ABSENT) throw new AndonError('query_failed', DUPLICATE)
      set(both, step, value)
    }
    found.set(key, both)
  }
  return [...found.values()]
}

/** Takes the names off that are to be dropped: the last step of a query. */
export function finished(value: VectorValue): VectorValue {
  const elements = value.elements.filter(({ present }) => present.some((kind) => kind !== ABSENT))
  if (!elements.some(({ dropName }) => dropName)) return { type: 'vector', elements: merged(elements) }
  return { type: 'vector', elements: merged(elements.map((each) => (each.dropName ? { ...each, labels: withoutName(each.labels) } : each))) }
}

/** The same for the series of a range vector, which are told apart by their names. */
export function finishedLabels<T extends { readonly labels: Labels; readonly dropName: boolean }>(series: readonly T[]): T[] {
  return series.map((each) => (each.dropName ? { ...each, labels: withoutName(each.labels) } : each))
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The order of labels, by names and values. */
export function compareLabels(a: Labels, b: Labels): number {
  const [x, y] = [sortedPairs(a), sortedPairs(b)]
  for (const [index, [name, value]] of x.entries()) {
    const other = y[index]
    if (other === undefined) return 1
    const order = compareText(name, other[0]) || compareText(value, other[1])
    if (order !== 0) return order
  }
  return x.length - y.length
}

export function byLabels(elements: readonly GridElement[]): GridElement[] {
  return elements.toSorted((a, b) => compareLabels(a.labels, b.labels))
}

function lastFloat({ values, present }: GridElement): number {
  return values[present.lastIndexOf(FLOAT)] ?? Number.NaN
}

/** sort and sort_desc: floats only, NaN last. Of the last step, which is the only one where the order shows. */
export function sorted(elements: readonly GridElement[], sign: 1 | -1): GridElement[] {
  return floatsOnly(elements).toSorted((a, b) => {
    const [x, y] = [lastFloat(a), lastFloat(b)]
    if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : 1
    return Number.isNaN(y) ? -1 : sign * (x - y)
  })
}

/** The elements at the steps where they are floats. */
export function floatsOnly(elements: readonly GridElement[]): GridElement[] {
  return elements.flatMap((each) => {
    if (each.histograms === undefined) return [each]
    const { histograms: _, ...rest } = each
    const present = each.present.map((kind) => (kind === FLOAT ? FLOAT : ABSENT))
    return present.includes(FLOAT) ? [{ ...rest, present }] : []
  })
}

/** Text with its numbers compared as numbers: node2 before node10. */
function natural(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []]
  for (const [index, part] of x.entries()) {
    const other = y[index]
    if (other === undefined) return 1
    if (part === other) continue
    const numbers = [Number(part), Number(other)] as const
    const order = numbers.some(Number.isNaN) ? compareText(part, other) : numbers[0] - numbers[1]
    if (order !== 0) return order
  }
  return x.length - y.length
}

export function sortedByLabel(elements: readonly GridElement[], names: readonly string[], sign: 1 | -1): GridElement[] {
  return elements.toSorted((a, b) => {
    const differing = names.find((name) => (a.labels[name] ?? '') !== (b.labels[name] ?? ''))
    return sign * (differing === undefined ? compareLabels(a.labels, b.labels) : natural(a.labels[differing] ?? '', b.labels[differing] ?? ''))
  })
}
