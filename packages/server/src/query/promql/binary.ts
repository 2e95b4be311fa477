// Operators between scalars and vectors, step by step.
import { AndonError, type Labels, labelsKey } from '@andon/model'
import { type BinaryOperator, isComparison, isSet, type VectorMatching } from '@andon/promql'
import { element, type GridElement, type GridValue, type ScalarValue, set, type VectorValue, withoutName } from './vector.ts'

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => power(a, b),
  atan2: Math.atan2,
}

/** As C's pow has it: 1 to any power is 1. */
function power(a: number, b: number): number {
  return a === 1 ? 1 : a ** b
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
}

interface Operation {
  readonly op: BinaryOperator
  readonly bool: boolean
  readonly matching: VectorMatching
  readonly steps: number
}

/** What an operator makes of two numbers; undefined where a comparison filters. `kept` is the value that passes. */
function applied(op: BinaryOperator, bool: boolean, a: number, b: number, kept: number): number | undefined {
  const compare = COMPARISONS[op]
  if (compare === undefined) return OPERATIONS[op]?.(a, b)
  if (bool) return compare(a, b) ? 1 : 0
  return compare(a, b) ? kept : undefined
}

function keepsName({ op, bool }: Operation): boolean {
  return isComparison(op) && !bool
}

function withScalar(vector: VectorValue, scalar: ScalarValue, operation: Operation, scalarIsLeft: boolean): VectorValue {
  const { op, bool, steps } = operation
  const elements = vector.elements.map(({ labels, values, present }) => {
    const result = element(keepsName(operation) ? labels : withoutName(labels), steps)
    for (let step = 0; step < steps; step += 1) {
      if (present[step] !== 1) continue
      const [value, other] = [values[step] ?? Number.NaN, scalar.values[step] ?? Number.NaN]
      const answer = scalarIsLeft ? applied(op, bool, other, value, value) : applied(op, bool, value, other, value)
      if (answer !== undefined) set(result, step, answer)
    }
    return result
  })
  return { type: 'vector', elements }
}

function signature(labels: Labels, { on, labels: names }: VectorMatching): string {
  if (on) return labelsKey(Object.fromEntries(names.map((name) => [name, labels[name] ?? ''])))
  return labelsKey(Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__' && !names.includes(name))))
}

function bySignature(elements: readonly GridElement[], matching: VectorMatching): Map<string, GridElement[]> {
  const found = new Map<string, GridElement[]>()
  for (const each of elements) {
    const key = signature(each.labels, matching)
    const list = found.get(key)
    if (list === undefined) found.set(key, [each])
    else list.push(each)
  }
  return found
}

function presentIn(list: readonly GridElement[] | undefined, step: number): boolean {
  return list?.some(({ present }) => present[step] === 1) === true
}

function masked(source: GridElement, steps: number, keep: (step: number) => boolean): GridElement {
  const result = element(source.labels, steps)
  for (let step = 0; step < steps; step += 1) if (source.present[step] === 1 && keep(step)) set(result, step, source.values[step] ?? Number.NaN)
  return result
}

function setOperation(left: VectorValue, right: VectorValue, { op, matching, steps }: Operation): VectorValue {
  if (op === 'or') {
    const lefts = bySignature(left.elements, matching)
    const added = right.elements.map((each) => masked(each, steps, (step) => !presentIn(lefts.get(signature(each.labels, matching)), step)))
    return { type: 'vector', elements: [...left.elements, ...added] }
  }
  const rights = bySignature(right.elements, matching)
  const wanted = op === 'and'
  return { type: 'vector', elements: left.elements.map((each) => masked(each, steps, (step) => presentIn(rights.get(signature(each.labels, matching)), step) === wanted)) }
}

/** The labels of a result: those of the "many" side, less what the matching takes away, with what it includes from the "one" side. */
function resultLabels(many: Labels, one: Labels, operation: Operation): Labels {
  const { matching } = operation
  const labels: Record<string, string> = { ...(keepsName(operation) ? many : withoutName(many)) }
  if (matching.group === 'none') {
    for (const name of Object.keys(labels)) {
      const matched = matching.labels.includes(name)
      if (matching.on ? !matched : matched) delete labels[name]
    }
    // A comparison that filters keeps the name where all labels match.
    return labels
  }
  for (const name of matching.include) {
    const value = one[name] ?? ''
    if (value === '') delete labels[name]
    else labels[name] = value
  }
  return labels
}

function several(side: string, key: string): never {
  const labels = key.replaceAll('\u001F', '="').replaceAll('\u001E', '" ').trim()
  throw new AndonError('query_failed', `many-to-many matching: several elements of the ${side} side match {${labels}}; matching labels must be unique on one side`)
}

/** The one element of a list that has a value at a step. */
function onlyAt(list: readonly GridElement[], step: number, side: string, key: string): GridElement | undefined {
  let found: GridElement | undefined
  for (const each of list) {
    if (each.present[step] !== 1) continue
    if (found !== undefined) several(side, key)
    found = each
  }
  return found
}

function vectors(left: VectorValue, right: VectorValue, operation: Operation): VectorValue {
  const { op, bool, matching, steps } = operation
  const isRight = matching.group === 'right'
  const [many, one] = isRight ? [right, left] : [left, right]
  const ones = bySignature(one.elements, matching)
  const results = new Map<string, GridElement>()
  for (const each of many.elements) {
    const key = signature(each.labels, matching)
    const partners = ones.get(key)
    if (partners === undefined) continue
    for (let step = 0; step < steps; step += 1) {
      if (each.present[step] !== 1) continue
      const partner = onlyAt(partners, step, isRight ? 'left' : 'right', key)
      if (partner === undefined) continue
      const [a, b] = [each.values[step] ?? Number.NaN, partner.values[step] ?? Number.NaN]
      const answer = isRight ? applied(op, bool, b, a, b) : applied(op, bool, a, b, a)
      if (answer === undefined) continue
      const labels = resultLabels(each.labels, partner.labels, operation)
      const resultKey = labelsKey(labels)
      let result = results.get(resultKey)
      if (result === undefined) results.set(resultKey, (result = element(labels, steps)))
      if (result.present[step] === 1) several(isRight ? 'right' : 'left', key)
      set(result, step, answer)
    }
  }
  return { type: 'vector', elements: [...results.values()] }
}

/**
 * The value of `left op right`. Types have been checked by the parser.
 *
 * @throws AndonError query_failed when elements match several others
 */
export function binary(left: GridValue, right: GridValue, operation: Operation): GridValue {
  if (left.type === 'string' || right.type === 'string') throw new AndonError('query_failed', `"${operation.op}" does not take texts`)
  if (left.type === 'scalar' && right.type === 'scalar') {
    return { type: 'scalar', values: left.values.map((value, step) => applied(operation.op, operation.bool, value, right.values[step] ?? Number.NaN, value) ?? Number.NaN) }
  }
  if (left.type === 'scalar') return right.type === 'vector' ? withScalar(right, left, operation, true) : left
  if (right.type === 'scalar') return withScalar(left, right, operation, false)
  return isSet(operation.op) ? setOperation(left, right, operation) : vectors(left, right, operation)
}
