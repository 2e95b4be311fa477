// Rows of `spans` read back as spans, with their resources.
import type { Resource, SpanRecord } from '@andon/model'
import { stringOf, textRecord } from './cells.ts'
import type { Database } from './database.ts'
import { readResource, readSpanRow, SPAN_SELECT } from './span-row.ts'
import { ids, Sql, sql } from './sql.ts'

/** The column of SPAN_SELECT that holds the hash of the resource. */
const RESOURCE = 17

async function readResources(database: Database, hashes: ReadonlySet<string>): Promise<Map<string, Resource>> {
  if (hashes.size === 0) return new Map()
  const statement = sql`SELECT hash, (mapKeys(attrs), mapValues(attrs)), base64Encode(rest) FROM andon.resources WHERE hash IN ${ids([...hashes].map(BigInt))} LIMIT 1 BY hash`
  return new Map(await database.query(statement, ([hash, attributes, rest]) => [stringOf(hash), readResource(textRecord(attributes), stringOf(rest))] as const))
}

/** The bytes of a trace id. A plain string that ends with a zero byte would not be found in a set of fixed ones. */
export function fixed(hex: Sql): Sql {
  return sql`toFixedString(unhex(${hex}), 16)`
}

/**
 * The spans that fulfil a condition.
 *
 * @param tail - what follows the condition: the order and how many
 */
export async function readSpans(database: Database, condition: Sql, tail: Sql): Promise<SpanRecord[]> {
  const rows = await database.query(sql`SELECT ${new Sql(SPAN_SELECT, {})} FROM andon.spans WHERE ${condition} ${tail}`, (row) => row)
  const resources = await readResources(database, new Set(rows.map((row) => stringOf(row[RESOURCE]))))
  return rows.map((row) => readSpanRow(row, resources))
}
