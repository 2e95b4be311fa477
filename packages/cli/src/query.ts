import { ask, messageOf } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { sparkline, table } from './table.ts'

export interface QueryFlags {
  readonly url: string
  /** A token, where the server asks for one. */
  readonly token?: string | undefined
  /** How far back, such as 15m; without it the newest values are asked for. */
  readonly range?: string
  readonly step?: string
  readonly json?: boolean
}

/** Prometheus' answer to a query, as far as it is shown. */
interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly values?: readonly (readonly [number, string])[]
  readonly histogram?: readonly [number, { readonly count: string; readonly sum: string }]
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text)
  if (match === null) throw new CommandError(EXIT.usage, `"${text}" is not a duration such as 30s, 15m or 2h.`)
  return Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? 1)
}

/** The request for an expression; `now` in seconds. */
export function queryUrl(expression: string, { url, range, step }: QueryFlags, now: number): string {
  const params = new URLSearchParams({ query: expression })
  if (range === undefined) return `${url}/api/v1/query?${params.toString()}`
  const length = seconds(range)
  params.set('start', String(now - length))
  params.set('end', String(now))
  params.set('step', String(step === undefined ? Math.max(10, Math.ceil(length / 60)) : seconds(step)))
  return `${url}/api/v1/query_range?${params.toString()}`
}

function nameOf(metric: Readonly<Record<string, string>>): string {
  const { __name__: name = '', ...labels } = metric
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return pairs.length === 0 ? name || '(no labels)' : `${name}{${pairs.join(', ')}}`
}

const short = (number: number | undefined): string => (number === undefined ? '' : String(Number(number.toPrecision(6))))

function row({ metric, value, values, histogram }: Series): string[] {
  if (values === undefined) return [nameOf(metric), value?.[1] ?? (histogram === undefined ? '' : `count ${histogram[1].count}, sum ${histogram[1].sum}`)]
  const numbers = values.map(([, text]) => Number(text))
  const finite = numbers.filter(Number.isFinite)
  return [nameOf(metric), short(numbers.at(-1)), short(finite.length === 0 ? undefined : Math.min(...finite)), short(finite.length === 0 ? undefined : Math.max(...finite)), sparkline(numbers)]
}

/** Prometheus' `data` as a table for people. */
export function renderResult(data: { readonly resultType: string; readonly result: unknown }): string {
  if (data.resultType === 'scalar' || data.resultType === 'string') return Array.isArray(data.result) ? String(data.result[1]) : ''
  // The server's answer, whose shape the Prometheus API fixes.
  const series = Array.isArray(data.result) ? (data.result as readonly Series[]) : []
  if (series.length === 0) return 'nothing'
  const heads = data.resultType === 'matrix' ? ['series', 'last', 'min', 'max', ''] : ['series', 'value']
  return table(heads, series.map(row))
}

interface Answer {
  readonly status?: string
  readonly error?: unknown
  readonly data?: { readonly resultType: string; readonly result: unknown }
}

/**
 * Runs one expression on a server.
 *
 * @returns the text for standard output: a table, or Prometheus' `data` as JSON
 * @throws CommandError usage for a wrong duration, unreachable, problem when the server refuses the expression
 */
export async function query(expression: string, flags: QueryFlags): Promise<string> {
  const answer = await ask<Answer>(queryUrl(expression, flags, Date.now() / 1000), flags)
  if (answer.status !== 'success' || answer.data === undefined) throw new CommandError(EXIT.problem, messageOf(answer.error, 'The query failed.'))
  return flags.json === true ? JSON.stringify(answer.data, undefined, 2) : renderResult(answer.data)
}
