// Operators between scalars and vectors, step by step.
import { AndonError, type Labels, labelsKey } from '@andon/model'
import { isSet, type VectorMatching } from '@andon/promql'
import { changesWhatIsMeasured, ofFloats, operate, type Operator, type Value } from './operators.ts'
import { matchVectors } from './matching.ts'
import { ABSENT, element, get, type GridElement, type GridValue, type ScalarValue, set, type VectorValue } from './vector.ts'

export interface Operation extends Operator {
  readonly matching: VectorMatching
  readonly steps: number
}

function withScalar(vector: VectorValue, scalar: ScalarValue, operation: Operation, scalarIsLeft: boolean): VectorValue {
  const { op, bool, steps } = operation
  const dropsName = bool || changesWhatIsMeasured(op)
  const elements = vector.elements.map((each) => {
    const result = element(each.labels, steps, each.dropName || dropsName)
    for (let step = 0; step < steps; step += 1) {
      const value = get(each, step)
      if (value === undefined) continue
      const other = scalar.values[step] ?? Number.NaN
      const answer = scalarIsLeft ? operate(operation, other, value, value) : operate(operation, value, other, value)
      if (answer !== undefined) set(result, step, answer)
    }
    return result
  })
  return { type: 'vector', elements }
}

/** The text of the labels that must agree. */
export function signature(labels: Labels, { on, labels: names }: VectorMatching): string {
  if (on) return labelsKey(Object.fromEntries(names.map((name) => [name, labels[name] ?? ''])))
  return labelsKey(Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__' && !names.includes(name))))
}

function presenceBySignature(elements: readonly GridElement[], matching: VectorMatching, steps: number): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const { labels, present } of elements) {
    const key = signature(labels, matching)
    let all = found.get(key)
    if (all === undefined) found.set(key, (all = new Uint8Array(steps)))
    for (let step = 0; step < steps; step += 1) if (present[step] !== ABSENT) all[step] = 1
  }
  return found
}

function masked(source: GridElement, keep: (step: number) => boolean): GridElement {
  return { ...source, present: source.present.map((kind, step) => (kind !== ABSENT && keep(step) ? kind : ABSENT)) }
}

function setOperation(left: VectorValue, right: VectorValue, { op, matching, steps }: Operation): VectorValue {
  if (op === 'or') {
    const lefts = presenceBySignature(left.elements, matching, steps)
    const added = right.elements.map((each) => masked(each, (step) => lefts.get(signature(each.labels, matching))?.[step] !== 1))
    return { type: 'vector', elements: [...left.elements, ...added] }
  }
  const rights = presenceBySignature(right.elements, matching, steps)
  const wanted = op === 'and'
  return {
    type: 'vector',
    elements: left.elements.map((each) => {
      const partners = rights.get(signature(each.labels, matching))
      return masked(each, (step) => (partners?.[step] === 1) === wanted)
    }),
  }
}

function numberOf(value: Value | undefined): number {
  return typeof value === 'number' ? value : Number.NaN
}

/**
 * The value of an operator between two values.
 *
 * @throws AndonError query_failed when vectors do not match uniquely, or a text stands on one side
 */
export function binary(left: GridValue, right: GridValue, operation: Operation): GridValue {
  if (left.type === 'string' || right.type === 'string') throw new AndonError('query_failed', `"${operation.op}" does not take texts`)
  if (left.type === 'scalar' && right.type === 'scalar') {
    return { type: 'scalar', values: left.values.map((value, step) => numberOf(ofFloats({ ...operation, bool: true }, value, right.values[step] ?? Number.NaN, value))) }
  }
  if (left.type === 'scalar') return right.type === 'vector' ? withScalar(right, left, operation, true) : right
  if (right.type === 'scalar') return withScalar(left, right, operation, false)
  return isSet(operation.op) ? setOperation(left, right, operation) : matchVectors(left.elements, right.elements, operation)
}
