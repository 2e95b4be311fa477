import { DEFAULT_SELECTION, isValidSelection, type TimeSelection, type Zone } from './time-range.ts'

/** What the query string holds: each key once, or several times. Everything stays text; screens read it through the functions below. */
export type RawSearch = Record<string, string | readonly string[]>

/** The part of the URL that the shell owns. Absent means the default, so that a plain URL stays short. */
export interface ShellSearch {
  readonly from?: string
  readonly to?: string
  readonly tz?: Zone
  readonly live?: 'off'
}

/** The filters of the trace search and what is selected there. Durations as typed, such as `100ms`. */
export interface SpansSearch extends ShellSearch {
  readonly service?: string
  readonly operation?: string
  readonly status?: 'ok' | 'error'
  readonly minDuration?: string
  readonly maxDuration?: string
  /** `key=value`, each. */
  readonly attr?: readonly string[]
}

/** The trace page: the selected span and the text to find. */
export interface TraceSearch extends ShellSearch {
  readonly span?: string
  readonly find?: string
}

/**
 * A query string as keys and texts; keys that stand more than once become lists.
 *
 * @example parseSearch('?attr=a%3D1&attr=b%3D2&from=now-1h') // { attr: ['a=1', 'b=2'], from: 'now-1h' }
 */
export function parseSearch(text: string): RawSearch {
  const result: Record<string, string | string[]> = {}
  for (const [key, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(result, key) ? result[key] : undefined
    if (before === undefined) result[key] = value
    else result[key] = Array.isArray(before) ? [...before, value] : [before, value]
  }
  return result
}

/** The query string of a search, with its `?`; '' when it is empty. Colons and slashes stay readable. */
export function stringifySearch(search: object): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search) as [string, unknown][]) {
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const one of values) if (typeof one === 'string' && one !== '') params.append(key, one)
  }
  const text = params.toString().replaceAll('%3A', ':').replaceAll('%2F', '/')
  return text === '' ? '' : `?${text}`
}

const first = (value: unknown): string | undefined => {
  const one: unknown = Array.isArray(value) ? value[0] : value
  return typeof one === 'string' && one !== '' ? one : undefined
}

/** Reads the shell's part; what cannot be read, or is the default, is left out. */
export function readShellSearch(raw: Record<string, unknown>): ShellSearch {
  const from = first(raw['from']) ?? DEFAULT_SELECTION.from
  const to = first(raw['to']) ?? DEFAULT_SELECTION.to
  const valid = isValidSelection({ from, to }, Date.now()) && (from !== DEFAULT_SELECTION.from || to !== DEFAULT_SELECTION.to)
  return {
    ...(valid ? { from, to } : {}),
    ...(first(raw['tz']) === 'utc' ? { tz: 'utc' as const } : {}),
    ...(first(raw['live']) === 'off' ? { live: 'off' as const } : {}),
  }
}

/** Reads the trace search's part beside the shell's. */
export function readSpansSearch(raw: Record<string, unknown>): SpansSearch {
  const text = (key: string): Record<string, string> => {
    const value = first(raw[key])
    return value === undefined ? {} : { [key]: value }
  }
  const status = first(raw['status'])
  const listed: readonly unknown[] = Array.isArray(raw['attr']) ? raw['attr'] : [raw['attr']]
  const attr = listed.filter((one): one is string => typeof one === 'string' && one.indexOf('=') > 0)
  return {
    ...text('service'),
    ...text('operation'),
    ...text('minDuration'),
    ...text('maxDuration'),
    ...(status === 'ok' || status === 'error' ? { status } : {}),
    ...(attr.length > 0 ? { attr } : {}),
  }
}

/** Reads the trace page's part beside the shell's. */
export function readTraceSearch(raw: Record<string, unknown>): TraceSearch {
  const span = first(raw['span'])
  const find = first(raw['find'])
  return { ...(span === undefined ? {} : { span }), ...(find === undefined ? {} : { find }) }
}

/** The time that a search asks for. */
export function selectionOf(search: ShellSearch): TimeSelection {
  return { from: search.from ?? DEFAULT_SELECTION.from, to: search.to ?? DEFAULT_SELECTION.to }
}
