// The table inventory: what applications register, used or not.
import { INVENTORY_KINDS, type InventoryItem, type Milliseconds, type TimeRange } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import { number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { LastWritten } from './last-written.ts'
import { i64, sql, text } from './sql.ts'
import { TsvRows } from './tsv.ts'

const COLUMNS = ['service', 'version', 'kind', 'name', 'last_seen']
const REMEMBERED = 100_000

/** What one instance registered. */
export interface Registration {
  readonly service: string
  readonly version: string
  readonly items: readonly InventoryItem[]
}

/** An item with the time at which it was last reported. */
export interface RegisteredItem extends InventoryItem {
  readonly lastSeen: Milliseconds
}

export class InventoryStore {
  readonly #database: Database
  readonly #clock: Pick<Clock, 'now'>
  /** By service, version, kind and name. */
  readonly #written: LastWritten<string>

  constructor(database: Database, clock: Pick<Clock, 'now'>) {
    this.#database = database
    this.#clock = clock
    this.#written = new LastWritten(clock, REMEMBERED)
  }

  /** Keeps what was registered, as seen now; settles when it is stored. A repetition changes nothing but that time, once an hour. */
  async write(registrations: readonly Registration[]): Promise<void> {
    const items = registrations.flatMap(({ service, version, items: registered }) => registered.map(({ kind, name }) => [service, version, kind, name] as const))
    const due = new Map(items.map((item) => [item.join('\n'), item]))
    for (const key of due.keys()) if (!this.#written.isDue(key)) due.delete(key)
    const seconds = Math.floor(this.#clock.now() / 1000)
    const rows = new TsvRows(4096)
    for (const [service, version, kind, name] of due.values()) rows.text(service).text(version).text(kind).text(name).number(seconds).end()
    await this.#database.insert('inventory', COLUMNS, rows)
    this.#written.note(due.keys())
  }

  /** Services that registered anything since a time, in order. */
  async services(since: Milliseconds): Promise<string[]> {
    return await this.#database.query(sql`SELECT DISTINCT service FROM andon.inventory WHERE last_seen >= toDateTime(intDiv(${i64(since)}, 1000)) ORDER BY service LIMIT 1000`, ([service]) => stringOf(service))
  }

  /** What a service reported in a range, each once, whatever its version; by kind and name, at most 10,000. */
  async items(service: string, range: TimeRange): Promise<RegisteredItem[]> {
    const rows = await this.#database.query(
      sql`SELECT kind, name, toUnixTimestamp(max(last_seen)) * 1000 FROM andon.inventory WHERE service = ${text(service)}
        AND last_seen >= toDateTime(intDiv(${i64(Math.floor(range.start))}, 1000)) GROUP BY kind, name ORDER BY kind, name LIMIT 10000`,
      ([kind, name, seen]) => ({ kind: INVENTORY_KINDS.find((known) => known === stringOf(kind)), name: stringOf(name), lastSeen: number(seen) }),
    )
    return rows.flatMap(({ kind, name, lastSeen }) => (kind === undefined ? [] : [{ kind, name, lastSeen }]))
  }
}
