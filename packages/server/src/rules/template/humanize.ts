// Numbers for people, as Prometheus writes them in alerts.
// @see prometheus template/template.go
import { sprintf } from './printf.ts'

const LARGE = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y']
const SMALL = ['m', 'u', 'n', 'p', 'f', 'a', 'z', 'y']
const BINARY = ['ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei', 'Zi', 'Yi']

const short = (value: number): string => sprintf('%.4g', [value])
const isPlain = (value: number): boolean => value === 0 || !Number.isFinite(value)

function smaller(value: number): string {
  let [rest, prefix] = [value, '']
  for (const each of SMALL) {
    if (Math.abs(rest) >= 1) break
    prefix = each
    rest *= 1000
  }
  return `${short(rest)}${prefix}`
}

/** @example humanize(1234567) // '1.235M' */
export function humanize(value: number): string {
  if (isPlain(value)) return short(value)
  if (Math.abs(value) < 1) return smaller(value)
  let [rest, prefix] = [value, '']
  for (const each of LARGE) {
    if (Math.abs(rest) < 1000) break
    prefix = each
    rest /= 1000
  }
  return `${short(rest)}${prefix}`
}

/** @example humanize1024(1048576) // '1Mi' */
export function humanize1024(value: number): string {
  if (Math.abs(value) <= 1 || !Number.isFinite(value)) return short(value)
  let [rest, prefix] = [value, '']
  for (const each of BINARY) {
    if (Math.abs(rest) < 1024) break
    prefix = each
    rest /= 1024
  }
  return `${short(rest)}${prefix}`
}

/** @param value - seconds @example humanizeDuration(3661) // '1h 1m 1s' */
export function humanizeDuration(value: number): string {
  if (isPlain(value)) return Number.isFinite(value) ? `${short(value)}s` : short(value)
  if (Math.abs(value) < 1) return `${smaller(value)}s`
  const size = Math.abs(value)
  const sign = value < 0 ? '-' : ''
  const whole = Math.trunc(size)
  const [seconds, minutes, hours, days] = [whole % 60, Math.floor(whole / 60) % 60, Math.floor(whole / 3600) % 24, Math.floor(whole / 86_400)]
  if (days > 0) return `${sign}${days}d ${hours}h ${minutes}m ${seconds}s`
  if (hours > 0) return `${sign}${hours}h ${minutes}m ${seconds}s`
  if (minutes > 0) return `${sign}${minutes}m ${seconds}s`
  return `${sign}${short(size)}s`
}

/** @param value - a ratio @example humanizePercentage(0.1234) // '12.34%' */
export function humanizePercentage(value: number): string {
  return `${short(value * 100)}%`
}

/** @param value - seconds since 1970 @example humanizeTimestamp(1435065584.128) // '2015-06-23 13:19:44.128 +0000 UTC' */
export function humanizeTimestamp(value: number): string {
  if (!Number.isFinite(value)) return short(value)
  const time = new Date(value * 1000)
  if (Number.isNaN(time.getTime())) throw new RangeError(`${value} is not a time`)
  const [date = '', clock = ''] = time.toISOString().replace('Z', '').split('T')
  return `${date} ${clock.replace(/\.(\d*?)0+$/, (_, kept: string) => (kept === '' ? '' : `.${kept}`))} +0000 UTC`
}
