// What the state log says and still holds is written again before the rows that say it are dropped.
import type { Milliseconds } from '@andon/model'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { all, f64, firstShard, i64, Param, type Sql, sql, text } from './sql.ts'
import { FIRST_WRITTEN } from './state.ts'
import { KINDS, type Lasting, MEANINGS, type StateKind } from './state-kinds.ts'
import { TsvRows } from './tsv.ts'

/** Rows of the log before this time are about to be dropped. */
export interface Ending {
  readonly before: Milliseconds
  readonly now: Milliseconds
}

interface RowId {
  readonly kind: StateKind
  readonly key: string
  readonly revision: number
}

const COLUMNS = ['kind', 'key', 'rev', 'written', 'first_written', 'state', 'service', 'severity', 'actor', 'doc']
/** Rows of one insert; evidence can be large. */
const ROWS = 100

const strings = (values: readonly string[]): Param => new Param('Array(String)', values)
const timeOf = (time: Milliseconds): Sql => sql`fromUnixTimestamp64Milli(${i64(Math.floor(time))})`

/** Of the newest row of a key: what it says is over. */
function isOver({ over, until }: Lasting, now: Milliseconds): Sql {
  const said = sql`has(${strings(over)}, argMax(state, rev))`
  return until === undefined ? said : sql`(${said} OR ifNull(JSONExtract(argMax(doc, rev), ${text(until)}, 'Nullable(Float64)') <= ${f64(now)}, 0))`
}

const NEWEST_WRITTEN: Sql = sql`argMax(written, (rev, written))`

/** Newest rows of keys that hold and were written before the time. */
async function inForce(database: Pick<Database, 'query'>, kind: StateKind, lasting: Lasting, { before, now }: Ending): Promise<RowId[]> {
  return await database.query(
    firstShard(sql`SELECT key, max(rev) FROM andon.state_log WHERE kind = ${text(kind)} GROUP BY key HAVING ${NEWEST_WRITTEN} < ${timeOf(before)} AND NOT ${isOver(lasting, now)}`),
    ([key, revision]) => ({ kind, key: stringOf(key), revision: number(revision) }),
  )
}

/** All rows that were written before the time, and not again since, about what holds or has ended since. */
async function belonging(database: Pick<Database, 'query'>, kind: StateKind, owner: StateKind, { before, now }: Ending): Promise<RowId[]> {
  const meaning = MEANINGS[owner]
  if (meaning === 'past' || 'of' in meaning) return []
  const owners = await database.query(
    firstShard(sql`SELECT key FROM andon.state_log WHERE kind = ${text(owner)} GROUP BY key HAVING ${NEWEST_WRITTEN} >= ${timeOf(before)} OR NOT ${isOver(meaning, now)}`),
    ([key]) => stringOf(key),
  )
  const kept = new Set(owners)
  const rows = await database.query(
    firstShard(sql`SELECT key, rev FROM andon.state_log WHERE kind = ${text(kind)} AND (written < ${timeOf(before)} OR toUnixTimestamp64Milli(first_written) != 0) GROUP BY key, rev HAVING max(written) < ${timeOf(before)}`),
    ([key, revision]) => ({ kind, key: stringOf(key), revision: number(revision) }),
  )
  return rows.filter(({ key }) => kept.has(key))
}

/** Where the row of the highest revision is about to be dropped, a row that only tells of it: no revision is given twice. */
async function noteHighest(database: Pick<Database, 'query' | 'insert'>, { before, now }: Ending): Promise<void> {
  const [last] = await database.query(
    firstShard(sql`SELECT rev, toUnixTimestamp64Milli(written) FROM andon.state_log WHERE kind IN ${strings(KINDS)} ORDER BY rev DESC, written DESC LIMIT 1`),
    ([revision, written]) => ({ revision: number(revision), written: number(written) }),
  )
  if (last === undefined || last.written >= before) return
  const kind: StateKind = 'revision'
  const tsv = new TsvRows(128).text(kind).text('highest').number(last.revision).milliseconds(now).milliseconds(0)
  for (const each of ['given', '', '', '', 'null']) tsv.text(each)
  tsv.end()
  await database.insert('state_log', COLUMNS, tsv)
}

/** Rows as they stand, but written now. */
async function writeAgain(database: Pick<Database, 'query' | 'insert'>, kind: StateKind, ids: readonly RowId[], now: Milliseconds): Promise<void> {
  const wanted = all([sql`kind = ${text(kind)}`, sql`key IN ${strings(ids.map(({ key }) => key))}`, sql`rev IN ${new Param('Array(UInt64)', ids.map(({ revision }) => revision))}`])
  const rows = await database.query(firstShard(sql`SELECT key, rev, toUnixTimestamp64Milli(${FIRST_WRITTEN}), state, service, severity, actor, doc FROM andon.state_log WHERE ${wanted} LIMIT 1 BY key, rev`), (row) => row)
  const tsv = new TsvRows(1024)
  for (const [key, revision, first, ...others] of rows) {
    tsv.text(kind).text(stringOf(key)).number(number(revision)).milliseconds(now).milliseconds(number(first))
    for (const each of others) tsv.text(stringOf(each))
    tsv.end()
  }
  await database.insert('state_log', COLUMNS, tsv)
}

/**
 * Writes again what was written before a time and holds: the newest row of each key of which nothing says that it is over, and all rows of
 * incidents that are open or have ended since. They keep their revision and when they were written first, so that they are the same entries to
 * every reader, whether the old rows are there still or not. Repeated, it writes nothing twice; settles when all is stored.
 *
 * @returns how many rows were written again
 */
export async function writeInForceAgain(database: Pick<Database, 'query' | 'insert'>, ending: Ending): Promise<number> {
  const found = new Map<StateKind, Map<string, RowId>>()
  const note = (ids: readonly RowId[]): void => {
    for (const id of ids) found.set(id.kind, (found.get(id.kind) ?? new Map<string, RowId>()).set(`${id.revision} ${id.key}`, id))
  }
  for (const kind of KINDS) {
    const meaning = MEANINGS[kind]
    if (meaning === 'past') continue
    note('of' in meaning ? await belonging(database, kind, meaning.of, ending) : await inForce(database, kind, meaning, ending))
  }
  let count = 0
  for (const [kind, ids] of found) {
    const rows = [...ids.values()]
    for (let at = 0; at < rows.length; at += ROWS) await writeAgain(database, kind, rows.slice(at, at + ROWS), ending.now)
    count += rows.length
  }
  await noteHighest(database, ending)
  return count
}
