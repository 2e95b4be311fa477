// Numbers, durations and texts of PromQL.
import type { Milliseconds } from '@andon/model'

const UNITS: Readonly<Record<string, Milliseconds>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 }
const DURATION = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/i

/**
 * A duration such as `1h30m`, or a number of seconds such as `90` or `1.5`.
 *
 * @returns milliseconds; undefined when the text is neither
 * @example parseDuration('1h30m') // 5_400_000
 */
export function parseDuration(text: string): Milliseconds | undefined {
  if (text !== '' && DURATION.test(text)) {
    let sum = 0
    for (const [, digits = '', unit = ''] of text.matchAll(/(\d+)(ms|[smhdwy])/gi)) sum += Number(digits) * (UNITS[unit.toLowerCase()] ?? 0)
    return sum
  }
  const seconds = parseNumber(text)
  return seconds === undefined || Number.isNaN(seconds) ? undefined : seconds * 1000
}

/** Whether a number is written as a length of time, `5m` or `-1h30m`, which stands for its seconds. */
export function isDuration(text: string): boolean {
  return /\d/.test(text) && DURATION.test(text.replace(/^[+-]\s*/, ''))
}

/** A duration in the canonical form: `1h30m`; what is not whole milliseconds is not to be given. */
export function formatDuration(duration: Milliseconds): string {
  if (duration === 0) return '0s'
  let rest = Math.abs(duration)
  let text = duration < 0 ? '-' : ''
  for (const unit of ['y', 'w', 'd', 'h', 'm', 's', 'ms']) {
    const size = UNITS[unit] ?? 1
    // Years and weeks only when nothing is left, as Prometheus writes them.
    if ((unit === 'y' || unit === 'w') && rest % size !== 0) continue
    const count = Math.floor(rest / size)
    if (count > 0) text += `${count}${unit}`
    rest -= count * size
  }
  return text
}

/**
 * A number: decimal, exponent, hexadecimal, Inf, NaN, with underscores between digits, or a duration as its seconds.
 *
 * @returns undefined when the text is none
 */
export function parseNumber(text: string): number | undefined {
  const lower = text.toLowerCase()
  if (lower === 'nan') return Number.NaN
  if (/^[+-]?inf(?:inity)?$/.test(lower)) return lower.startsWith('-') ? -Infinity : Infinity
  const plain = lower.replaceAll(/(?<=[\da-f])_(?=[\da-f])/g, '')
  const sign = plain.startsWith('-') ? -1 : 1
  const digits = plain.replace(/^[+-]/, '')
  if (/^0x[\da-f]+$/.test(digits)) return sign * Number(digits)
  if (/^0[0-7]+$/.test(digits)) return sign * Number.parseInt(digits, 8)
  if (/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(digits)) return sign * Number(digits)
  if (digits !== '' && DURATION.test(digits)) {
    const duration = parseDuration(digits)
    return duration === undefined ? undefined : (sign * duration) / 1000
  }
  return undefined
}

const ESCAPES: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"' }
const ESCAPE = /\\(?:[0-7]{3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)/gs

/**
 * The text of a literal in double or single quotes, with Go's escapes, or in back-quotes, without.
 *
 * @returns undefined when an escape is not known
 */
export function parseText(literal: string): string | undefined {
  const body = literal.slice(1, -1)
  if (literal.startsWith('`')) return body
  const unknown = [...body.matchAll(ESCAPE)].some((match) => expandedEscape(match[0]) === undefined)
  return unknown ? undefined : body.replaceAll(ESCAPE, (escape) => expandedEscape(escape) ?? '')
}

/** A byte of UTF-8: above 7F it is no character by itself, and stands as half a surrogate, which no label may hold. */
function byte(value: number): string {
  return String.fromCharCode(value < 0x80 ? value : 0xdc00 + value)
}

/** What an escape such as `\\n`, `\\x41` or `\\u20ac` stands for; undefined when it is not known. */
function expandedEscape(escape: string): string | undefined {
  const digits = escape.slice(1)
  if (/^[0-7]{3}$/.test(digits)) return byte(Number.parseInt(digits, 8))
  if (!/^[xuU][\da-fA-F]/.test(digits)) return ESCAPES[digits]
  const point = Number.parseInt(digits.slice(1), 16)
  if (digits.startsWith('x')) return byte(point)
  return point <= 0x10_ff_ff ? String.fromCodePoint(point) : undefined
}

/** A text as a literal in double quotes. */
export function formatText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')}"`
}
