// Go's fmt.Sprintf, as far as templates use it.
// @see https://pkg.go.dev/fmt
import { shortNumber } from '../../query/promql/number-text.ts'
import { display, type Value } from './values.ts'

interface Verb {
  readonly flags: string
  readonly width: number
  readonly precision: number | undefined
  readonly verb: string
}

const WIDTH_MAX = 1000

/** Go has at least two digits in an exponent. */
function goExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2')
}

/** More digits than two numbers of 64 bits can share by chance. */
const MORE = 30

/** Where a number lies exactly between two texts, JavaScript takes the larger and Go the one that ends evenly. */
function evenly(rounded: string, exact: string): string {
  const [digits = '', power] = exact.split('e')
  const kept = digits.slice(0, -MORE)
  if (!digits.endsWith(`5${'0'.repeat(MORE - 1)}`) || !/[02468]\.?$/.test(kept)) return rounded
  return (kept.endsWith('.') ? kept.slice(0, -1) : kept) + (power === undefined ? '' : `e${power}`)
}

const fixed = (value: number, digits: number): string => (digits + MORE > 100 || Math.abs(value) >= 1e21 ? value.toFixed(digits) : evenly(value.toFixed(digits), value.toFixed(digits + MORE)))
const exponential = (value: number, digits: number): string => (digits + MORE > 100 ? value.toExponential(digits) : evenly(value.toExponential(digits), value.toExponential(digits + MORE)))

const trimmed = (number: string): string => (number.includes('.') ? number.replace(/\.?0+$/, '') : number)

/** %g of a precision: the shorter of %e and %f, without zeros at the end. */
function general(value: number, precision: number | undefined): string {
  if (precision === undefined) return shortNumber(value)
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const digits = Math.max(1, precision)
  const text = exponential(value, digits - 1)
  const exponent = Number(text.slice(text.indexOf('e') + 1))
  if (exponent < -4 || exponent >= digits) {
    const [mantissa = '', power = ''] = text.split('e')
    return goExponent(`${trimmed(mantissa)}e${power}`)
  }
  return trimmed(fixed(value, Math.max(0, digits - 1 - exponent)))
}

/** @param verb - e, f, g, or their capitals */
function floatText(value: number, { verb, precision }: Verb): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const digits = Math.min(100, precision ?? 6)
  switch (verb.toLowerCase()) {
    case 'e':
      return goExponent(exponential(value, digits))
    case 'f':
      return fixed(value, digits)
    default:
      return general(value, precision === undefined ? undefined : Math.min(100, precision))
  }
}

const BASES: Readonly<Record<string, number>> = { b: 2, o: 8, d: 10, x: 16, X: 16 }

function integerText(value: bigint, { verb, precision, flags }: Verb): string | undefined {
  if (verb === 'c') return String.fromCodePoint(Number(value))
  if (verb === 'q') return `'${String.fromCodePoint(Number(value))}'`
  const base = BASES[verb]
  if (base === undefined) return undefined
  const size = value < 0n ? -value : value
  const digits = size.toString(base).padStart(precision ?? 0, '0')
  const prefix = flags.includes('#') && base === 16 ? `0${verb}` : ''
  const text = `${value < 0n ? '-' : ''}${prefix}${digits}`
  return verb === 'X' ? text.toUpperCase() : text
}

function stringText(value: string, { verb, precision }: Verb): string | undefined {
  const cut = precision === undefined ? value : Array.from(value).slice(0, precision).join('')
  switch (verb) {
    case 's':
      return cut
    case 'q':
      return JSON.stringify(cut)
    case 'x':
      return Buffer.from(cut).toString('hex')
    case 'X':
      return Buffer.from(cut).toString('hex').toUpperCase()
    default:
      return undefined
  }
}

function goType(value: Value): string {
  if (typeof value === 'number') return 'float64'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

/** A value by its verb; undefined where the verb does not fit. */
function verbText(value: Value, verb: Verb): string | undefined {
  if (verb.verb === 'T') return goType(value)
  if (typeof value === 'number') {
    if (verb.verb === 'v') return floatText(value, { ...verb, verb: 'g' })
    return /^[eEfFgG]$/.test(verb.verb) ? floatText(value, verb) : undefined
  }
  if (typeof value === 'bigint') return verb.verb === 'v' ? String(value) : integerText(value, verb)
  if (typeof value === 'string') return verb.verb === 'v' ? stringText(value, { ...verb, verb: 's' }) : stringText(value, verb)
  if (typeof value === 'boolean') return verb.verb === 'v' || verb.verb === 't' ? String(value) : undefined
  return verb.verb === 'v' || verb.verb === 's' ? display(value) : undefined
}

function padded(text: string, { flags, width }: Verb, isNumber: boolean): string {
  const signed = isNumber && flags.includes('+') && !/^[+-]/.test(text) ? `+${text}` : isNumber && flags.includes(' ') && !/^[+-]/.test(text) ? ` ${text}` : text
  if (flags.includes('-')) return signed.padEnd(width)
  if (!flags.includes('0') || !isNumber) return signed.padStart(width)
  const [, sign = '', digits = ''] = /^([+ -]?)(.*)$/.exec(signed) ?? []
  return sign + digits.padStart(width - sign.length, '0')
}

/** One verb with its value, or Go's text for a wrong one. */
function formatted(verb: Verb, value: Value): string {
  const text = verbText(value, verb)
  if (text === undefined) return `%!${verb.verb}(${goType(value)}=${display(value)})`
  return padded(text, verb, typeof value === 'number' || typeof value === 'bigint')
}

/**
 * @param format - with verbs such as %s, %d, %.2f, %v, %q, %t, %%; widths up to 1000
 * @example sprintf('%.1f of %d', [2.25, 3n]) // '2.2 of 3'
 */
export function sprintf(format: string, args: readonly Value[]): string {
  let used = 0
  const text = format.replaceAll(/%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])?/g, (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string | undefined) => {
    if (verb === '%') return '%'
    if (verb === undefined) return '%!(NOVERB)'
    const next = (): number => {
      used += 1
      return Number(args[used - 1] ?? 0)
    }
    const wide = width === '*' ? next() : Number(width ?? 0)
    const precise = precision === '*' ? next() : precision !== undefined ? Number(precision) : whole.includes('.') ? 0 : undefined
    if (used >= args.length) return `%!${verb}(MISSING)`
    used += 1
    return formatted({ flags: wide < 0 ? `${flags}-` : flags, width: Math.min(WIDTH_MAX, Math.abs(wide)), precision: precise, verb }, args[used - 1])
  })
  const extra = args.slice(used).map((value) => `${goType(value)}=${display(value)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}
