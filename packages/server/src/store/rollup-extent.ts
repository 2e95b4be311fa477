// What has expired: since when raw points and five-minute rollups are there, where coarser tables reach further back.
import type { Milliseconds } from '@andon/model'
import { number } from './cells.ts'
import type { Database } from './database.ts'
import { sql } from './sql.ts'

/** Before these times there are only coarser data; -Infinity where nothing is known to have expired. */
export interface RollupExtent {
  readonly raw: Milliseconds
  readonly '5m': Milliseconds
}

const HOUR = 3_600_000

/** The hour that holds a time; of what is not there, later than anything. */
function hourOf(time: Milliseconds | undefined): Milliseconds {
  return time === undefined ? Infinity : Math.floor(time / HOUR) * HOUR
}

/** When a table begins, if a coarser one began at least an hour before; a row lies in the same hour in all of them. */
function expired(own: Milliseconds | undefined, coarser: readonly (Milliseconds | undefined)[]): Milliseconds {
  return coarser.some((time) => time !== undefined && time < hourOf(own)) ? (own ?? Infinity) : -Infinity
}

/** Reads what the oldest rows are, of which tables know without reading them. */
export async function extentOf(database: Database): Promise<RollupExtent> {
  const rows = await database.query(
    sql`SELECT 'samples', count(), toUnixTimestamp64Milli(min(ts)) FROM andon.samples
      UNION ALL SELECT 'samples_5m', count(), toInt64(toUnixTimestamp(min(ts))) * 1000 FROM andon.samples_5m
      UNION ALL SELECT 'samples_1h', count(), toInt64(toUnixTimestamp(min(ts))) * 1000 FROM andon.samples_1h
      UNION ALL SELECT 'hist', count(), toUnixTimestamp64Milli(min(ts)) FROM andon.hist
      UNION ALL SELECT 'hist_5m', count(), toInt64(toUnixTimestamp(min(ts))) * 1000 FROM andon.hist_5m
      UNION ALL SELECT 'hist_1h', count(), toInt64(toUnixTimestamp(min(ts))) * 1000 FROM andon.hist_1h`,
    ([table, count, oldest]) => [String(table), number(count) === 0 ? undefined : number(oldest)] as const,
  )
  const oldest = new Map(rows)
  const of = (kind: 'samples' | 'hist'): RollupExtent => {
    const [raw, minutes, hours] = [oldest.get(kind), oldest.get(`${kind}_5m`), oldest.get(`${kind}_1h`)]
    return { raw: expired(raw, [minutes, hours]), '5m': expired(minutes, [hours]) }
  }
  const [floats, histograms] = [of('samples'), of('hist')]
  return { raw: Math.max(floats.raw, histograms.raw), '5m': Math.max(floats['5m'], histograms['5m']) }
}
