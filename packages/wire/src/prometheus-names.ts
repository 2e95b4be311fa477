// OpenTelemetry's names as Prometheus writes them.
// @see https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/

const UNITS: Readonly<Record<string, string>> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
}

const PER: Readonly<Record<string, string>> = { s: 'second', m: 'minute', min: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year' }

/** What a metric is, as far as its name depends on it. */
export type NamedType = 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary'

function words(text: string): string[] {
  return text.split(/[^A-Za-z0-9:]+/).filter((word) => word !== '')
}

/** A unit may be called as a method of every object is. */
function known(names: Readonly<Record<string, string>>, unit: string): string | undefined {
  return Object.hasOwn(names, unit) ? names[unit] : undefined
}

function unitWords(unit: string): string[] {
  const [main = '', per] = unit.replaceAll(/\{[^}]*\}/g, '').split('/')
  const first = main.trim() === '' || main.trim() === '1' ? [] : words(known(UNITS, main.trim()) ?? main)
  const second = per === undefined || per.trim() === '' ? [] : ['per', ...words(known(PER, per.trim()) ?? per)]
  return [...first, ...second]
}

/** The words with a group of words at their end, unless they hold it already. */
function ending(name: readonly string[], suffix: readonly string[]): string[] {
  return suffix.every((word) => name.includes(word)) ? [...name] : [...name, ...suffix]
}

/**
 * A metric's Prometheus name: dots become underscores, the unit and, for counters, `total` stand at the end.
 *
 * @param otelName - such as `http.server.request.duration`
 * @param unit - UCUM, such as `s`, `By`, `By/s`, `{request}`, `1`
 * @returns a name of [a-zA-Z_:][a-zA-Z0-9_:]*
 * @example prometheusName('http.server.request.duration', 's', 'histogram') // 'http_server_request_duration_seconds'
 * @example prometheusName('errors.total', '{error}', 'counter') // 'errors_total'
 */
export function prometheusName(otelName: string, unit: string, type: NamedType): string {
  let name = words(otelName)
  if (type === 'counter') name = name.filter((word) => word !== 'total')
  name = ending(name, unitWords(unit))
  if (unit === '1' && type === 'gauge') name = ending(name, ['ratio'])
  if (type === 'counter') name = [...name, 'total']
  const joined = name.join('_')
  return joined === '' ? '_' : /^\d/.test(joined) ? `_${joined}` : joined
}

/**
 * An attribute's key as a label: what is not a letter, a digit or an underscore becomes an underscore.
 *
 * @example prometheusLabelName('http.response.status_code') // 'http_response_status_code'
 */
export function prometheusLabelName(key: string): string {
  const label = key.replaceAll(/[^A-Za-z0-9_]/g, '_')
  if (/^\d/.test(label)) return `key_${label}`
  // Names that begin with two underscores are Prometheus' own.
  return /^_(?!_)/.test(label) ? `key${label}` : label === '' ? '_' : label
}
