// What was pinned, as facts to read. Its data come from other routes of the server and are read with care: a page must not fail on old evidence.
import type { Evidence, PinnedSpan } from '@andon/model'
import { quantityText } from '../ui/format.ts'

export interface EvidenceFact {
  readonly name: string
  readonly text: string
}

const MOST = 12

const field = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : typeof value === 'string' && value !== '' && Number.isFinite(Number(value)) ? Number(value) : null)
const listIn = (value: unknown, ...keys: readonly string[]): readonly unknown[] => {
  const found: unknown = Array.isArray(value) ? value : keys.map((key) => field(value, key)).find((one) => Array.isArray(one))
  return Array.isArray(found) ? found : []
}

/** The id of a pinned trace; null where it is none. */
export function traceOf({ kind, data }: Pick<Evidence, 'kind' | 'data'>): string | null {
  const id = text(field(data, 'traceId'))
  return kind === 'trace' && /^[0-9a-f]{32}$/.test(id) ? id : null
}

/** A pinned series, ready to be drawn. */
export interface PinnedCourse {
  readonly expression: string
  readonly range: { readonly start: number; readonly end: number }
  readonly t: readonly number[]
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
}

function labelOf(labels: unknown): string {
  const values = typeof labels === 'object' && labels !== null ? Object.entries(labels).filter(([name]) => name !== '__name__') : []
  return values.length === 0 ? 'value' : values.map(([, value]) => String(value)).join(' · ')
}

/** The series of pinned evidence on one list of times; null where there are none. */
export function courseOf(data: unknown): PinnedCourse | null {
  const found = listIn(data, 'series').map((one) => ({
    label: labelOf(field(one, 'labels')),
    points: new Map(listIn(one, 'points').flatMap((point) => (Array.isArray(point) && typeof point[0] === 'number' ? [[point[0], number(point[1])] as const] : []))),
  }))
  const t = [...new Set(found.flatMap(({ points }) => [...points.keys()]))].toSorted((a, b) => a - b)
  const [first, last] = [t[0], t.at(-1)]
  if (first === undefined || last === undefined) return null
  return {
    expression: text(field(data, 'expression')),
    range: { start: number(field(data, 'start')) ?? first, end: number(field(data, 'end')) ?? last },
    t,
    series: found.map(({ label, points }) => ({ label, values: t.map((time) => points.get(time) ?? null) })),
  }
}

const of = (span: unknown, key: keyof PinnedSpan): unknown => field(span, key)

function traceFacts(data: unknown): EvidenceFact[] {
  const spans = listIn(data, 'spans')
  const slow = spans.toSorted((a, b) => (number(of(b, 'durationMs')) ?? 0) - (number(of(a, 'durationMs')) ?? 0)).slice(0, MOST)
  return slow.map((span) => ({ name: `${text(of(span, 'service'))} · ${text(of(span, 'name'))}`, text: quantityText(number(of(span, 'durationMs')), 'milliseconds') }))
}

const errorFacts = (data: unknown): EvidenceFact[] =>
  listIn(data, 'errors', 'groups').slice(0, MOST).map((one) => ({ name: [text(field(one, 'type')), text(field(one, 'message'))].filter((part) => part !== '').join(': '), text: `${quantityText(number(field(one, 'count')), 'count')} times` }))

function statementFacts(data: unknown): EvidenceFact[] {
  return listIn(data, 'statements').slice(0, MOST).map((one) => {
    const seconds = number(field(one, 'p95')) ?? number(field(one, 'totalSeconds')) ?? number(field(one, 'seconds'))
    return { name: text(field(one, 'text')) || text(field(one, 'statement')), text: `${quantityText(number(field(one, 'calls')) ?? number(field(one, 'count')), 'count')} calls · ${quantityText(seconds, 'seconds')}` }
  })
}

/** What pinned evidence says, in a few lines. */
export function evidenceFacts({ kind, data }: Pick<Evidence, 'kind' | 'data'>): EvidenceFact[] {
  if (kind === 'trace') return traceFacts(data)
  if (kind === 'errors') return errorFacts(data)
  if (kind === 'statements') return statementFacts(data)
  return []
}
