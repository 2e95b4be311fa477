// What the embedded engine remembers of inserts, mended after a kill. It writes that an insert of a token was stored to
// `deduplication_logs` of a table, and then gives the part its name. A process that is killed between the two leaves a record of a part
// that never was: the repetition of that batch would be refused, and the batch be lost.
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

interface Part {
  readonly partition: string
  readonly first: number
  readonly last: number
}

/** `PARTITION_FIRST_LAST_LEVEL` with `_MUTATION` where there was one; undefined for directories that are no part in use. */
function partOf(name: string): Part | undefined {
  const [, partition, first, last] = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/.exec(name) ?? []
  return partition === undefined ? undefined : { partition, first: Number(first), last: Number(last) }
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

/** The newest log of a table that holds anything; a log that was just begun is empty. */
function newestLog(directory: string): { path: string; content: Buffer } | undefined {
  const numbered = names(directory).map((name) => [Number(/^deduplication_log_(\d+)\.txt$/.exec(name)?.[1]), join(directory, name)] as const)
  for (const [number, path] of numbered.toSorted(([a], [b]) => b - a)) {
    const content = Number.isNaN(number) ? Buffer.alloc(0) : readFileSync(path)
    if (content.length > 0) return { path, content }
  }
  return undefined
}

/** Whether the last record of a table was of a part that is there, or has become part of a greater one. */
function isThere(table: string, record: string): boolean {
  const [operation, name = ''] = record.split('\t')
  const part = partOf(name)
  if (operation !== '1' || part === undefined) return true
  return names(table).some((each) => {
    const stored = partOf(each)
    return stored !== undefined && stored.partition === part.partition && stored.first <= part.first && stored.last >= part.last
  })
}

function mendTable(table: string): boolean {
  const log = newestLog(join(table, 'deduplication_logs'))
  if (log === undefined) return false
  // A record that was not written to its end would make the next one unreadable.
  let end = log.content.lastIndexOf('\n') + 1
  const begin = end === 0 ? 0 : log.content.lastIndexOf('\n', end - 2) + 1
  if (end > 0 && !isThere(table, log.content.toString('latin1', begin, end - 1))) end = begin
  if (end === log.content.length) return false
  truncateSync(log.path, end)
  return true
}

/**
 * Forgets, table by table, the last insert where its part is not there. Only the last one of a table can be: an insert holds the table's
 * parts from its record to its name. A part that the retention removed is forgotten too, which does no harm, for its time is refused.
 *
 * @param directory - of the engine, which is not open
 * @returns how many tables were mended
 */
export function mendRepetitionLogs(directory: string): number {
  const store = join(directory, 'store')
  const tables = names(store).flatMap((group) => names(join(store, group)).map((table) => join(store, group, table)))
  return tables.filter(mendTable).length
}
