// What an operator makes of two samples. @see prometheus promql/engine.go vectorElemBinop
import type { BinaryOperator } from '@andon/promql'
import type { HistogramValue } from '../../store/metric-rows.ts'
import type { Remarks } from './context.ts'
import { added, divided, multiplied, subtracted, withHint } from './histogram/arithmetic.ts'
import { equal } from './histogram/compare.ts'
import { trimmed } from './histogram/trim.ts'
import { collided } from './range-call.ts'

export type Value = number | HistogramValue

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '^': (a, b) => power(a, b),
  atan2: Math.atan2,
}

/** As C's pow has it: 1 to any power is 1, and so is -1 to an infinite one. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && (b === Infinity || b === -Infinity)) ? 1 : a ** b
}

const COMPARISONS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
}

export interface Operator {
  readonly op: BinaryOperator
  readonly bool: boolean
  readonly remarks: Remarks
}

/** Whether an operator makes something else of what is measured, so that the name is lost. */
export function changesWhatIsMeasured(op: BinaryOperator): boolean {
  return ARITHMETIC[op] !== undefined
}

/** Of two floats; undefined where a comparison filters. `kept` is what passes a filter. */
export function ofFloats({ op, bool, remarks }: Operator, a: number, b: number, kept: Value): Value | undefined {
  const calculate = ARITHMETIC[op]
  if (calculate !== undefined) return calculate(a, b)
  const compare = COMPARISONS[op]
  if (compare === undefined) return incompatible('float', op, 'float', remarks)
  const holds = compare(a, b)
  return bool ? Number(holds) : holds ? kept : undefined
}

function incompatible(left: string, op: string, right: string, remarks: Remarks): undefined {
  remarks.info(`incompatible sample types encountered for binary operator ${JSON.stringify(op)}: ${left} ${op} ${right}`)
}

function ofHistograms({ op, bool, remarks }: Operator, a: HistogramValue, b: HistogramValue, kept: Value): Value | undefined {
  if (op === '==' || op === '!=') {
    const holds = equal(a, b) === (op === '==')
    return bool ? Number(holds) : holds ? kept : undefined
  }
  if (op !== '+' && op !== '-') return incompatible('histogram', op, 'histogram', remarks)
  const doing = op === '+' ? 'addition' : 'subtraction'
  const result = op === '+' ? added(a, b) : subtracted(a, b)
  if (result === undefined) {
    remarks.warn(`vector contains a mix of histograms with exponential and custom buckets schemas`)
    return undefined
  }
  if (result.collided) collided(remarks, doing)
  if (result.reconciled) remarks.info(`mismatched custom buckets were reconciled during ${doing}`)
  return op === '+' ? result.value : withHint(result.value, 'gauge')
}

const WITH_FLOAT: Readonly<Record<string, (a: HistogramValue, b: number) => HistogramValue>> = {
  '*': multiplied,
  '/': divided,
  '</': (a, b) => trimmed(a, b, true),
  '>/': (a, b) => trimmed(a, b, false),
}

function withFloat({ op, remarks }: Operator, a: HistogramValue, b: number): Value | undefined {
  const apply = WITH_FLOAT[op]
  return apply === undefined ? incompatible('histogram', op, 'float', remarks) : apply(a, b)
}

/** Of two samples of any kind; undefined where there is no result. */
export function operate(operator: Operator, a: Value, b: Value, kept: Value): Value | undefined {
  if (typeof a === 'number') {
    if (typeof b === 'number') return ofFloats(operator, a, b, kept)
    return operator.op === '*' ? multiplied(b, a) : incompatible('float', operator.op, 'histogram', operator.remarks)
  }
  return typeof b === 'number' ? withFloat(operator, a, b) : ofHistograms(operator, a, b, kept)
}
