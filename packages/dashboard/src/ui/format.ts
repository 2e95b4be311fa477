// How quantities are written. Every number of the dashboard passes through here, so that none is shown without its unit.

/** What a number measures, in the unit in which the server sends it. */
export type Unit = 'seconds' | 'milliseconds' | 'microseconds' | 'requestsPerSecond' | 'operationsPerSecond' | 'bytes' | 'bytesPerSecond' | 'ratio' | 'count'

/** A number as text beside its unit; `unit` is '' only for plain counts and for a missing value. */
export interface Quantity {
  readonly value: string
  readonly unit: string
}

/** What is written where there is no number. */
export const NOTHING = '–'

interface Step {
  /** Up to which absolute value, in the base unit, this step is used. */
  readonly below: number
  readonly divisor: number
  readonly unit: string
}

const DURATION: readonly Step[] = [
  { below: 1e-6, divisor: 1e-9, unit: 'ns' },
  { below: 1e-3, divisor: 1e-6, unit: 'µs' },
  { below: 1, divisor: 1e-3, unit: 'ms' },
  { below: 60, divisor: 1, unit: 's' },
  { below: 3600, divisor: 60, unit: 'min' },
  { below: 86_400, divisor: 3600, unit: 'h' },
  { below: Infinity, divisor: 86_400, unit: 'd' },
]
const sizes = (suffix: string): readonly Step[] =>
  ['B', 'KiB', 'MiB', 'GiB', 'TiB'].map((unit, power) => ({
    below: power === 4 ? Infinity : 1024 ** (power + 1),
    divisor: 1024 ** power,
    unit: unit + suffix,
  }))
const plain = (unit: string): readonly Step[] => [
  { below: 1e4, divisor: 1, unit },
  { below: 1e6, divisor: 1e3, unit: `k${unit === '' ? '' : ` ${unit}`}` },
  { below: 1e9, divisor: 1e6, unit: `M${unit === '' ? '' : ` ${unit}`}` },
  { below: Infinity, divisor: 1e9, unit: `G${unit === '' ? '' : ` ${unit}`}` },
]

const STEPS: Record<Unit, { readonly toBase: number; readonly steps: readonly Step[] }> = {
  seconds: { toBase: 1, steps: DURATION },
  milliseconds: { toBase: 1e-3, steps: DURATION },
  microseconds: { toBase: 1e-6, steps: DURATION },
  requestsPerSecond: { toBase: 1, steps: plain('req/s') },
  operationsPerSecond: { toBase: 1, steps: plain('ops/s') },
  bytes: { toBase: 1, steps: sizes('') },
  bytesPerSecond: { toBase: 1, steps: sizes('/s') },
  ratio: { toBase: 100, steps: [{ below: Infinity, divisor: 1, unit: '%' }] },
  count: { toBase: 1, steps: plain('') },
}

/** The step for a value in the base unit; a value that would be rounded up to the next step's first number belongs to that step. */
function stepFor(value: number, steps: readonly Step[]): Step {
  const size = Math.abs(value)
  const found = steps.find((step) => size < step.below * (step.below === Infinity ? 1 : 0.9995))
  return found ?? { below: Infinity, divisor: 1, unit: '' }
}

/** Three significant digits, no exponent, thousands separated by a comma; tiny values read "<0.01" rather than "0". */
function digits(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 0.01) return value < 0 ? '>-0.01' : '<0.01'
  if (size >= 999.5) return Math.round(value).toLocaleString('en-US')
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
  return trimZeros(value.toFixed(decimals))
}

const trimZeros = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/**
 * A number with its unit, scaled for reading.
 *
 * @param value - in the unit named by `unit`; null, undefined, NaN and infinities are "no value"
 * @returns three significant digits beside the scaled unit; `–` and '' where there is no value
 * @example quantity(0.0124, 'seconds') // { value: '12.4', unit: 'ms' }
 */
export function quantity(value: number | null | undefined, unit: Unit): Quantity {
  if (value === null || value === undefined || !Number.isFinite(value)) return { value: NOTHING, unit: '' }
  const { toBase, steps } = STEPS[unit]
  const base = value * toBase
  if (unit === 'count' && Number.isInteger(base) && Math.abs(base) < 1e6) return { value: base.toLocaleString('en-US'), unit: '' }
  if (base === 0) return { value: '0', unit: zeroUnit(unit, steps) }
  const step = stepFor(base, steps)
  return { value: digits(base / step.divisor), unit: step.unit }
}

/** Zero is written in the unit that people expect: 0 ms, 0 B, 0 %. */
function zeroUnit(unit: Unit, steps: readonly Step[]): string {
  if (unit === 'seconds' || unit === 'milliseconds' || unit === 'microseconds') return 'ms'
  return steps[0]?.unit ?? ''
}

/**
 * `quantity` as one text with a space before the unit.
 *
 * @example quantityText(1536, 'bytes') // '1.5 KiB'
 */
export function quantityText(value: number | null | undefined, unit: Unit): string {
  const { value: text, unit: suffix } = quantity(value, unit)
  return suffix === '' ? text : `${text} ${suffix}`
}

/** A text with its first letter large. */
export const capitalised = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/** One scale for all numbers of an axis: divide by `divisor` and write `unit`. */
export interface AxisScale {
  readonly divisor: number
  readonly unit: string
}

/**
 * The unit in which an axis is labelled, chosen by its largest value so that every label has the same unit.
 *
 * @param largest - the largest absolute value on the axis, in the unit named by `unit`
 * @example axisScale(0.25, 'seconds') // { divisor: 0.001, unit: 'ms' }
 */
export function axisScale(largest: number, unit: Unit): AxisScale {
  const { toBase, steps } = STEPS[unit]
  if (!(largest > 0)) return { divisor: 1 / toBase, unit: zeroUnit(unit, steps) }
  const step = stepFor(largest * toBase, steps)
  return { divisor: step.divisor / toBase, unit: step.unit }
}
