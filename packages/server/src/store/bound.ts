// A statement for HTTP: what is bound travels in the address, long lists as literals in the body.
import type { Sql } from './sql.ts'

/** The text of a statement and what is bound in it. */
export interface Bound {
  readonly text: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Lists with more elements are written into the statement: an address holds 1 MiB, a form's field 128 KiB, and proxies refuse less. */
const LISTED_MAX = 64

/** Types that a literal has by itself. Casts of lists of more than 131,072 elements are evaluated anew for each block of rows, which takes minutes. */
const LITERAL_TYPE = /^Array\((?:U?Int\d+|String)\)$/

/** An element that is its own literal, or a text of which nothing needs an escape. */
function literal(value: unknown): string | undefined {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  return typeof value === 'string' && /^[\w.:/-]*$/.test(value) ? `'${value}'` : undefined
}

function longList(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length <= LISTED_MAX) return undefined
  const items: string[] = []
  for (const each of value as readonly unknown[]) {
    const item = literal(each)
    if (item === undefined) return undefined
    items.push(item)
  }
  return `[${items.join(',')}]`
}

/** A statement whose long lists of numbers and plain texts stand in its text; all else stays bound. */
export function bound({ text, params }: Sql): Bound {
  const kept: Record<string, unknown> = {}
  const filled = text.replaceAll(/\{(p\d+):([^}]+)\}/g, (whole, key: string, type: string) => {
    const list = longList(params[key])
    if (list !== undefined) return LITERAL_TYPE.test(type) ? list : `CAST(${list}, '${type}')`
    kept[key] = params[key]
    return whole
  })
  return { text: filled, params: kept }
}
