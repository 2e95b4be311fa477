// The functions of templates: Go's own, and those of Prometheus.
// @see prometheus template/template.go
import { parseDuration } from '@andon/promql'
import { RE2JS } from 're2js'
import { humanize, humanize1024, humanizeDuration, humanizePercentage, humanizeTimestamp } from './humanize.ts'
import { sprintf } from './printf.ts'
import { templateError } from './tokens.ts'
import { display, fieldOf, isList, isMap, isTrue, type Value } from './values.ts'

/** What a template may ask for besides its data. */
export interface TemplateWorld {
  /** The elements of an instant query, at the time of the evaluation. @throws AndonError when the query fails */
  readonly query: (expression: string) => Promise<readonly Value[]>
  /** Where people reach this server; '' where nobody said. */
  readonly externalUrl: string
}

export type TemplateFunction = (args: readonly Value[], world: TemplateWorld) => Value | Promise<Value>

/** Runs in time linear in the text, whatever the expression is. */
function compiled(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch {
    throw templateError(`"${pattern}" is not an RE2 expression`)
  }
}

function toFloat(value: Value): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'string') {
    const text = value.trim()
    if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
    if (/^nan$/i.test(text)) return Number.NaN
    const number = Number(text)
    if (text !== '' && !Number.isNaN(number)) return number
  }
  throw templateError(`${display(value)} is not a number`)
}

const textOf = (value: Value): string => (typeof value === 'string' ? value : display(value))

function listOf(value: Value): readonly Value[] {
  if (isList(value)) return value
  throw templateError(`${display(value)} is not a list`)
}

/** -1, 0 or 1; numbers of both kinds compare. */
function compareValues(a: Value, b: Value): number {
  if ((typeof a === 'number' || typeof a === 'bigint') && (typeof b === 'number' || typeof b === 'bigint')) return a < b ? -1 : a > b ? 1 : a == b ? 0 : Number.NaN
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0
  throw templateError(`${display(a)} and ${display(b)} cannot be compared`)
}

function isEqual(a: Value, b: Value): boolean {
  if (typeof a === 'boolean' || a === null || a === undefined) return a === b
  return typeof b === 'boolean' || b === null || b === undefined ? false : compareValues(a, b) === 0
}

function indexed(value: Value, keys: readonly Value[]): Value {
  let found = value
  for (const key of keys) {
    if (isMap(found)) found = fieldOf(found, textOf(key))
    else if (isList(found)) {
      const at = toFloat(key)
      if (!Number.isInteger(at) || at < 0 || at >= found.length) throw templateError(`index ${display(key)} is out of range`)
      found = found[at]
    } else throw templateError(`${display(found)} has no index`)
  }
  return found
}

function slice(value: Value, from: Value, to: Value): Value {
  const [start, end] = [from === undefined ? 0 : toFloat(from), to === undefined ? undefined : toFloat(to)]
  if (typeof value === 'string') return value.slice(start, end)
  return listOf(value).slice(start, end)
}

function lengthOf(value: Value): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value))
  if (isList(value)) return BigInt(value.length)
  if (isMap(value)) return BigInt(Object.keys(value).length)
  throw templateError(`${display(value)} has no length`)
}

/** Go puts a space between operands of which neither is a string. */
function print(args: readonly Value[]): string {
  return args.map((value, index) => (index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string' ? ` ${display(value)}` : display(value))).join('')
}

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;', '\0': '\uFFFD' }
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"'\0]/g, (char) => HTML[char] ?? char)

function labelOf(sample: Value, name: string): string {
  const labels = fieldOf(sample, 'Labels')
  return textOf(fieldOf(labels, name) ?? '')
}

function titled(text: string): string {
  return text.replaceAll(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase())
}

function stripPort(host: string): string {
  if (host.startsWith('[')) return /^\[([^\]]*)\](?::\d+)?$/.exec(host)?.[1] ?? host
  const [name = '', port, ...more] = host.split(':')
  return port === undefined || more.length > 0 ? host : name
}

function stripDomain(host: string): string {
  const [, name = '', port = ''] = /^(.*?)(:\d+)?$/.exec(host) ?? []
  if (/^[\d.]+$/.test(name) || name.includes(':')) return host
  return (name.split('.')[0] ?? '') + port
}

function pathPrefix(url: string): string {
  try {
    return new URL(url).pathname.replace(/\/$/, '')
  } catch {
    return ''
  }
}

/** The page of an expression: 0 its graph, 1 its table; after the address of the server. */
export const graph = (expression: string, tab: 0 | 1): string => `/graph?g0.expr=${encodeURIComponent(expression).replaceAll('%20', '+')}&g0.tab=${tab}`

function durationSeconds(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw templateError(`"${text}" is not a duration`)
  return ms / 1000
}

function comparison(holds: (order: number) => boolean): TemplateFunction {
  return ([a, b]) => holds(compareValues(a, b))
}

const onNumber =
  (write: (value: number) => string): TemplateFunction =>
  ([value]) =>
    write(toFloat(value))

const GO: Readonly<Record<string, TemplateFunction>> = {
  not: ([value]) => !isTrue(value),
  len: ([value]) => lengthOf(value),
  index: ([value, ...keys]) => indexed(value, keys),
  slice: ([value, from, to]) => slice(value, from, to),
  print,
  println: (args) => `${args.map(display).join(' ')}\n`,
  printf: ([format, ...args]) => sprintf(textOf(format), args),
  html: (args) => escapeHtml(print(args)),
  js: (args) => JSON.stringify(print(args)).slice(1, -1).replaceAll("'", String.raw`\'`).replaceAll('<', String.raw`\u003C`).replaceAll('>', String.raw`\u003E`),
  urlquery: (args) => encodeURIComponent(print(args)).replaceAll('%20', '+'),
  eq: ([first, ...others]) => others.some((other) => isEqual(first, other)),
  ne: ([a, b]) => !isEqual(a, b),
  lt: comparison((order) => order < 0),
  le: comparison((order) => order <= 0),
  gt: comparison((order) => order > 0),
  ge: comparison((order) => order >= 0),
}

const PROMETHEUS: Readonly<Record<string, TemplateFunction>> = {
  query: ([expression], world) => world.query(textOf(expression)),
  first: ([list]) => {
    const [found] = listOf(list)
    if (found === undefined) throw templateError('first() of a query without a result')
    return found
  },
  label: ([name, sample]) => labelOf(sample, textOf(name)),
  value: ([sample]) => fieldOf(sample, 'Value'),
  strvalue: ([sample]) => labelOf(sample, '__value__'),
  sortByLabel: ([name, list]) =>
    listOf(list).toSorted((a, b) => {
      const [left, right] = [labelOf(a, textOf(name)), labelOf(b, textOf(name))]
      return left < right ? -1 : left > right ? 1 : 0
    }),
  args: (args) => Object.fromEntries(args.map((value, index) => [`arg${index}`, value])),
  safeHtml: ([text]) => textOf(text),
  externalURL: (_, world) => world.externalUrl,
  pathPrefix: (_, world) => pathPrefix(world.externalUrl),
  match: ([pattern, text]) => compiled(textOf(pattern)).matcher(textOf(text)).find(),
  reReplaceAll: ([pattern, replacement, text]) => compiled(textOf(pattern)).matcher(textOf(text)).replaceAll(textOf(replacement)),
  title: ([text]) => titled(textOf(text)),
  toUpper: ([text]) => textOf(text).toUpperCase(),
  toLower: ([text]) => textOf(text).toLowerCase(),
  stripPort: ([text]) => stripPort(textOf(text)),
  stripDomain: ([text]) => stripDomain(textOf(text)),
  graphLink: ([expression]) => graph(textOf(expression), 0),
  tableLink: ([expression]) => graph(textOf(expression), 1),
  parseDuration: ([text]) => durationSeconds(textOf(text)),
  toDuration: ([value]) => toFloat(value),
  toTime: onNumber(humanizeTimestamp),
  humanize: onNumber(humanize),
  humanize1024: onNumber(humanize1024),
  humanizeDuration: onNumber(humanizeDuration),
  humanizePercentage: onNumber(humanizePercentage),
  humanizeTimestamp: onNumber(humanizeTimestamp),
}

/** By name. `and`, `or` and `tmpl` are not among them: they need the evaluation itself. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(Object.entries({ ...GO, ...PROMETHEUS }))
