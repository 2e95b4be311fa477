// Functions of one value, as prometheus promql/functions.go defines them.

/** Of the value, the evaluation time in milliseconds, and the scalar arguments at this time. */
export type ValueFunction = (value: number, params: readonly number[]) => number

const deg = 180 / Math.PI

function date(part: (date: Date) => number): ValueFunction {
  return (seconds) => {
    const at = new Date(seconds * 1000)
    return Number.isNaN(at.getTime()) ? Number.NaN : part(at)
  }
}

function rounded(value: number, nearest: number): number {
  const inverse = 1 / nearest
  return Math.floor(value * inverse + 0.5) / inverse
}

function dayOfYear(at: Date): number {
  return Math.floor((Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()) - Date.UTC(at.getUTCFullYear(), 0, 0)) / 86_400_000)
}

export const VALUE_FUNCTIONS: Readonly<Record<string, ValueFunction>> = {
  abs: Math.abs,
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  ceil: Math.ceil,
  cos: Math.cos,
  cosh: Math.cosh,
  deg: (value) => value * deg,
  exp: Math.exp,
  floor: Math.floor,
  ln: Math.log,
  log10: Math.log10,
  log2: Math.log2,
  rad: (value) => value / deg,
  sgn: Math.sign,
  sin: Math.sin,
  sinh: Math.sinh,
  sqrt: Math.sqrt,
  tan: Math.tan,
  tanh: Math.tanh,
  round: (value, [nearest = 1]) => rounded(value, nearest),
  clamp: (value, [low = Number.NaN, high = Number.NaN]) => Math.max(low, Math.min(high, value)),
  clamp_max: (value, [high = Number.NaN]) => Math.min(high, value),
  clamp_min: (value, [low = Number.NaN]) => Math.max(low, value),
  minute: date((at) => at.getUTCMinutes()),
  hour: date((at) => at.getUTCHours()),
  day_of_week: date((at) => at.getUTCDay()),
  day_of_month: date((at) => at.getUTCDate()),
  day_of_year: date(dayOfYear),
  days_in_month: date((at) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate()),
  month: date((at) => at.getUTCMonth() + 1),
  year: date((at) => at.getUTCFullYear()),
}

/** Functions of the time, which without an argument are of the evaluation time. */
export const TIME_FUNCTIONS: ReadonlySet<string> = new Set(['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'])
