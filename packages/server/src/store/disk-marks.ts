// When the disk counts as full, and what is then dropped in which order: decisions without effect.
import type { Bytes, Milliseconds } from '@andon/model'
import type { DiskSpace, Partition } from './disk.ts'
import type { TableKind } from './retention.ts'

export interface DiskOptions {
  /** What is done at the mark: the oldest partitions are dropped, or nothing until telemetry is refused. */
  readonly whenFull: 'drop' | 'refuse'
  /** The share of the disk in use, by whomever, that is the high-water mark; 50..99. */
  readonly usedPercent: number
  /** Whatever the share: while so much is free, the mark is not reached. */
  readonly headroomBytes: Bytes
  /** Kept free for small state and for the database itself: telemetry is refused below it. */
  readonly reserveBytes: Bytes
}

export const defaultDisk: DiskOptions = { whenFull: 'drop', usedPercent: 90, headroomBytes: 10 * 1024 ** 3, reserveBytes: 256 * 1024 ** 2 }

/** At how many free bytes what is done. */
export interface DiskMarks {
  /** Below it the oldest partitions are dropped … */
  readonly high: Bytes
  /** … until so much is free. */
  readonly low: Bytes
  /** Below it telemetry is refused … */
  readonly reserve: Bytes
  /** … until so much is free. */
  readonly resume: Bytes
}

/** How much more must be free before what began at a mark ends, so that it does not begin and end all the time. */
const LOW_OVER_HIGH = 1.2
const RESUME_OVER_RESERVE = 1.5

/**
 * @param totalBytes - of the disk
 * @param wantedBytes - what is to fit besides the reserve, at least
 */
export function marksOf(totalBytes: Bytes, { usedPercent, headroomBytes, reserveBytes }: Omit<DiskOptions, 'whenFull'>, wantedBytes: Bytes = 0): DiskMarks {
  const mark = Math.min((totalBytes * (100 - usedPercent)) / 100, headroomBytes)
  const reserve = Math.min(reserveBytes, mark / 2)
  const high = Math.max(mark, wantedBytes === 0 ? 0 : reserve + wantedBytes)
  return { high, low: high * LOW_OVER_HIGH, reserve, resume: reserve * RESUME_OVER_RESERVE }
}

/** What is dropped first, second and third; what has no place here is never dropped for want of room. */
const TURN: Readonly<Partial<Record<TableKind, number>>> = { detail: 0, raw: 0, rollup: 1, hourly: 2 }
const DAY: Milliseconds = 86_400_000

export interface DropQuestion {
  readonly space: Pick<DiskSpace, 'freeBytes'> & {
    /** What was dropped and is not free yet. */
    readonly leavingBytes: Bytes
  }
  readonly marks: DiskMarks
  readonly partitions: readonly Partition[]
  readonly now: Milliseconds
  /** Whether the low mark was not reached since the high one was passed. */
  readonly isTight: boolean
}

function sumOf(partitions: readonly Partition[]): Bytes {
  return partitions.reduce((sum, { bytes }) => sum + bytes, 0)
}

/** The first of them that bring `from` to `to`; all where they do not. */
function until(partitions: readonly Partition[], from: Bytes, to: Bytes): Partition[] {
  let free = from
  const taken: Partition[] = []
  for (const partition of partitions) {
    if (free >= to) break
    taken.push(partition)
    free += partition.bytes
  }
  return taken
}

/**
 * What is to be dropped now, in order. Spans, profiles and samples come before rollups, five-minute ones before hourly ones, within
 * these the oldest first; lookup tables and small state never. Rollups are dropped only where that brings the disk below the
 * mark: where others fill it, their loss would not help. What holds rows of today (UTC) stays, except that spans and profiles of
 * today are dropped where telemetry would be refused without that, and is taken with it.
 */
export function chooseDrops({ space, marks, partitions, now, isTight }: DropQuestion): Partition[] {
  const free = space.freeBytes + space.leavingBytes
  if (free >= (isTight ? marks.low : marks.high)) return []
  const today = Math.floor(now / DAY) * DAY
  const ordered = partitions.filter(({ kind }) => kind in TURN).toSorted((a, b) => (TURN[a.kind] ?? 0) - (TURN[b.kind] ?? 0) || a.newest - b.newest || (a.table < b.table ? -1 : 1))
  const old = ordered.filter(({ newest }) => newest < today)
  const chosen = until(old.filter(({ kind }) => TURN[kind] === 0), free, marks.low)
  let freed = free + sumOf(chosen)
  const sums = old.filter(({ kind }) => TURN[kind] !== 0)
  if (freed < marks.high && freed + sumOf(sums) >= marks.high) chosen.push(...until(sums, freed, marks.low))
  freed = free + sumOf(chosen)
  const details = ordered.filter(({ kind, newest }) => kind === 'detail' && newest >= today)
  if (freed < marks.reserve && freed + sumOf(details) >= marks.resume) chosen.push(...until(details, freed, marks.resume))
  return chosen
}
