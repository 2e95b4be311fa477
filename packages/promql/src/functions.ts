// The functions of PromQL and what they take.
import type { ValueType } from './ast.ts'

export interface FunctionSignature {
  readonly args: readonly ValueType[]
  /** How many of the last arguments may be left out; Infinity when the last one may be repeated. */
  readonly optional: number
  readonly returns: ValueType
}

const V: ValueType = 'instant vector'
const R: ValueType = 'range vector'
const S: ValueType = 'scalar'
const T: ValueType = 'string'

function signature(args: readonly ValueType[], returns: ValueType = V, optional = 0): FunctionSignature {
  return { args, optional, returns }
}

const OF_VECTOR = [
  'abs', 'absent', 'acos', 'acosh', 'asin', 'asinh', 'atan', 'atanh', 'ceil', 'cos', 'cosh', 'deg', 'exp', 'floor', 'histogram_avg', 'histogram_count',
  'histogram_stddev', 'histogram_stdvar', 'histogram_sum', 'ln', 'log10', 'log2', 'rad', 'sgn', 'sin', 'sinh', 'sort', 'sort_desc', 'sqrt', 'start_timestamp', 'tan', 'tanh', 'timestamp',
]
const OF_RANGE = [
  'absent_over_time', 'avg_over_time', 'changes', 'count_over_time', 'delta', 'deriv', 'first_over_time', 'idelta', 'increase', 'irate', 'last_over_time', 'mad_over_time',
  'max_over_time', 'min_over_time', 'present_over_time', 'rate', 'resets', 'stddev_over_time', 'stdvar_over_time', 'sum_over_time', 'ts_of_first_over_time',
  'ts_of_last_over_time', 'ts_of_max_over_time', 'ts_of_min_over_time',
]
const OF_TIME = ['day_of_month', 'day_of_week', 'day_of_year', 'days_in_month', 'hour', 'minute', 'month', 'year']

/** Every function that the engine evaluates. */
export const FUNCTIONS: Readonly<Record<string, FunctionSignature>> = Object.fromEntries([
  ...OF_VECTOR.map((name) => [name, signature([V])] as const),
  ...OF_RANGE.map((name) => [name, signature([R])] as const),
  ...OF_TIME.map((name) => [name, signature([V], V, 1)] as const),
  ['clamp', signature([V, S, S])],
  ['clamp_max', signature([V, S])],
  ['clamp_min', signature([V, S])],
  ['double_exponential_smoothing', signature([R, S, S])],
  ['histogram_fraction', signature([S, S, V])],
  ['histogram_quantile', signature([S, V])],
  ['histogram_quantiles', signature([V, T, S], V, Infinity)],
  ['info', signature([V, V], V, 1)],
  ['label_join', signature([V, T, T, T], V, Infinity)],
  ['label_replace', signature([V, T, T, T, T])],
  ...['end', 'pi', 'range', 'start', 'step', 'time'].map((name) => [name, signature([], S)] as const),
  ['max_of', signature([S, S], S)],
  ['min_of', signature([S, S], S)],
  ['predict_linear', signature([R, S])],
  ['quantile_over_time', signature([S, R])],
  ['round', signature([V, S], V, 1)],
  ['scalar', signature([V], S)],
  ['sort_by_label', signature([V, T], V, Infinity)],
  ['sort_by_label_desc', signature([V, T], V, Infinity)],
  ['vector', signature([S])],
] as const)

/** What a function takes and gives; undefined where there is none of this name. */
export function signatureOf(name: string): FunctionSignature | undefined {
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
}
