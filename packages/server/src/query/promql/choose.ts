// Aggregations that choose some of the elements: topk, bottomk, limitk, limit_ratio.
import { AndonError, sortedPairs, xxHash64Bytes } from '@andon/model'
import type { Aggregation, Group } from './aggregation.ts'
import { shortNumber } from './number-text.ts'
import { element, FLOAT, get, type GridElement, HISTOGRAM, set } from './vector.ts'

/** How many elements a step asks for. @throws AndonError query_failed */
function wanted(k: number): number {
  if (Number.isNaN(k)) throw new AndonError('query_failed', 'Parameter value is NaN')
  if (k >= 2 ** 63 || k <= -(2 ** 63)) throw new AndonError('query_failed', `Scalar value ${shortNumber(k)} ${k > 0 ? 'over' : 'under'}flows int64`)
  return Math.max(0, Math.trunc(k))
}

/** topk and bottomk: floats only, NaN last in either order. */
function best(group: Group, step: number, { op, param, remarks }: Aggregation): GridElement[] {
  const sign = op === 'topk' ? -1 : 1
  const floats = group.members.filter(({ present }) => present[step] === FLOAT)
  if (group.members.some(({ present }) => present[step] === HISTOGRAM)) remarks.info(`ignored histogram in ${op} aggregation`)
  const value = ({ values }: GridElement): number => values[step] ?? Number.NaN
  return floats
    .toSorted((a, b) => {
      const [x, y] = [value(a), value(b)]
      if (Number.isNaN(x)) return Number.isNaN(y) ? 0 : 1
      return Number.isNaN(y) ? -1 : sign * (x - y)
    })
    .slice(0, wanted(param(step)))
}

/** A text with its length before it, as Prometheus keeps labels: one byte, or 255 and three bytes. */
function sized(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)]
  const { length } = bytes
  return length < 255 ? [length, ...bytes] : [255, length & 255, (length >> 8) & 255, length >> 16, ...bytes]
}

/** Where a series lies in 0..1: by the hash that Prometheus has of its labels, so that the same ones are chosen. */
function offsetOf({ labels }: GridElement): number {
  const bytes = sortedPairs(labels).flatMap(([name, value]) => [...sized(name), ...sized(value)])
  return Number(xxHash64Bytes(Uint8Array.from(bytes))) / 2 ** 64
}

/** limit_ratio: a positive ratio takes the series below it, a negative one the rest of those above 1 − ratio. */
function ratioTaken(ratio: number, { paramRemarks }: Aggregation): (each: GridElement) => boolean {
  if (Number.isNaN(ratio)) throw new AndonError('query_failed', 'Ratio value is NaN')
  const capped = Math.max(-1, Math.min(1, ratio))
  if (capped !== ratio) paramRemarks.warn(`ratio value should be between -1 and 1, got ${shortNumber(ratio)}, capping to ${capped}`)
  if (capped === 0) return () => false
  return (each) => (capped > 0 ? offsetOf(each) < capped : offsetOf(each) >= 1 + capped)
}

function members(group: Group, step: number, aggregation: Aggregation): readonly GridElement[] {
  const { op, param } = aggregation
  if (op === 'topk' || op === 'bottomk') return best(group, step, aggregation)
  const here = group.members.filter((member) => get(member, step) !== undefined)
  return op === 'limitk' ? here.slice(0, wanted(param(step))) : here.filter(ratioTaken(param(step), aggregation))
}

/** The chosen elements as they are; of one step in the order in which they were chosen. */
export function chosen(group: Group, aggregation: Aggregation): GridElement[] {
  const { steps } = aggregation
  const results = new Map<GridElement, GridElement>()
  for (let step = 0; step < steps; step += 1) {
    for (const member of members(group, step, aggregation)) {
      const value = get(member, step)
      let result = results.get(member)
      if (result === undefined) results.set(member, (result = element(member.labels, steps, member.dropName)))
      if (value !== undefined) set(result, step, value)
    }
  }
  return [...results.values()]
}
