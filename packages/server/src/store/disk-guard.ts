// Keeps the disk from filling up: drops the oldest partitions at a high-water mark, and refuses telemetry when that does not help.
import { AndonError, type Bytes, type Milliseconds } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnCounter, OwnMetrics } from '../runtime/own-metrics.ts'
import type { DiskSpace, DiskStore, Partition } from './disk.ts'
import { chooseDrops, type DiskMarks, type DiskOptions, marksOf } from './disk-marks.ts'
import type { StateLog } from './state.ts'

/** `tight`: above the high-water mark; `full`: telemetry is refused. */
export type DiskState = 'ok' | 'tight' | 'full'

/** A partition that was dropped for want of room. */
export interface DroppedPartition extends Omit<Partition, 'kind'> {
  readonly time: Milliseconds
}

export interface DiskStatus {
  readonly state: DiskState
  readonly totalBytes: Bytes
  readonly freeBytes: Bytes
  /** The free bytes below which the oldest partitions are dropped; null where nothing is dropped. */
  readonly dropBelowBytes: Bytes | null
  /** The free bytes below which telemetry is refused. */
  readonly refuseBelowBytes: Bytes
  /** What was dropped for want of room, the newest first; at most 20, also from before a restart. */
  readonly dropped: readonly DroppedPartition[]
}

/** How often the disk is looked at. */
export const CHECK_MS: Milliseconds = 15_000
/** How often it is looked at, at most, because somebody was refused. */
const LOOK_AGAIN_MS: Milliseconds = 1000
/** How often what has expired is dropped. */
const EXPIRE_MS: Milliseconds = 3_600_000
/** So many times its bytes an insert may take until it is packed and its views are written. */
const ROOM_FOR_INSERT = 2
const DROPPED_TOLD = 20
const KIND = 'partition-dropped'
const KEY = 'disk'
const MIB = 1024 ** 2

export interface DiskGuardDeps {
  readonly disk: Pick<DiskStore, 'space' | 'leaving' | 'partitions' | 'drop' | 'dropExpired' | 'keepFree'>
  readonly state: Pick<StateLog, 'append' | 'history'>
  readonly clock: Pick<Clock, 'now' | 'every'>
  readonly log: Log
  readonly own: OwnMetrics
  readonly options: DiskOptions
}

/** Looks at the disk every 15 seconds, and at once when an insert failed for want of room; one look at a time. */
export class DiskGuard {
  readonly #deps: DiskGuardDeps
  readonly #partitions: OwnCounter
  readonly #bytes: OwnCounter
  #space: DiskSpace = { totalBytes: 0, freeBytes: 0 }
  #marks: DiskMarks
  #isTight = false
  #isFull = false
  /** What could not be stored for want of room needs so much. */
  #wanted: Bytes = 0
  /** Said once while it lasts. */
  #isUnknown = false
  #dropped: DroppedPartition[]
  #expiredAt: Milliseconds
  #lookedAt: Milliseconds
  #checking: Promise<void> | undefined
  readonly #cancel: () => void

  private constructor(deps: DiskGuardDeps, dropped: readonly DroppedPartition[]) {
    this.#deps = deps
    this.#dropped = [...dropped]
    this.#marks = marksOf(0, deps.options)
    this.#expiredAt = deps.clock.now()
    this.#lookedAt = deps.clock.now()
    this.#partitions = deps.own.counter('andon_disk_dropped_partitions_total', 'Partitions that were dropped for want of room, by table.')
    this.#bytes = deps.own.counter('andon_disk_dropped_bytes_total', 'Bytes of the partitions that were dropped for want of room, by table.')
    deps.own.gauge('andon_disk_size_bytes', 'Size of the disk that holds the data.', () => this.#space.totalBytes)
    deps.own.gauge('andon_disk_free_bytes', 'What is free on the disk that holds the data.', () => this.#space.freeBytes)
    deps.own.gauge('andon_disk_mark_bytes', 'Below so many free bytes the oldest partitions are dropped.', () => this.#marks.high)
    deps.own.gauge('andon_disk_full', '1 while telemetry is refused for want of room, else 0.', () => Number(this.#isFull))
    this.#cancel = deps.clock.every(CHECK_MS, () => void this.check())
  }

  /** Looks at the disk once and then all the time; `stop` ends it. */
  static async open(deps: DiskGuardDeps): Promise<DiskGuard> {
    const dropped = (await deps.state.history(KIND, KEY, DROPPED_TOLD)).flatMap(({ doc }) => droppedOf(doc))
    const guard = new DiskGuard(deps, dropped)
    await guard.check()
    return guard
  }

  /** Ends it; settles when a look that is under way has ended. */
  async stop(): Promise<void> {
    this.#cancel()
    await this.#checking
  }

  /** What telemetry is refused with at present; undefined where there is room. Who asks makes it look whether there still is none. */
  refusal(): AndonError | undefined {
    if (!this.#isFull) return undefined
    if (this.#deps.clock.now() - this.#lookedAt >= LOOK_AGAIN_MS) void this.check()
    const { freeBytes } = this.#space
    return new AndonError('disk_full', `${Math.floor(freeBytes / MIB)} MiB of the server's disk are free, ${Math.ceil(this.#marks.reserve / MIB)} MiB are kept for it to work.`)
  }

  /** Told that an insert of so many bytes failed for want of room: the disk is looked at now, and is tight until they fit, wherever the marks are. */
  noteFull(bytes: Bytes): void {
    this.#wanted = Math.max(this.#wanted, bytes * ROOM_FOR_INSERT)
    void this.check()
  }

  status(): DiskStatus {
    const { totalBytes, freeBytes } = this.#space
    const drops = this.#deps.options.whenFull === 'drop'
    return { state: this.#state(), totalBytes, freeBytes, dropBelowBytes: drops ? this.#marks.high : null, refuseBelowBytes: this.#marks.reserve, dropped: this.#dropped }
  }

  #state(): DiskState {
    return this.#isFull ? 'full' : this.#isTight ? 'tight' : 'ok'
  }

  /** Looks at the disk, and does what it takes; never rejects. */
  check(): Promise<void> {
    this.#checking ??= this.#check().finally(() => (this.#checking = undefined))
    return this.#checking
  }

  async #check(): Promise<void> {
    const { disk, clock, log } = this.#deps
    this.#lookedAt = clock.now()
    try {
      if (clock.now() - this.#expiredAt >= EXPIRE_MS) {
        this.#expiredAt = clock.now()
        await disk.dropExpired(clock.now())
      }
      await this.#measure()
      if (this.#isTight && (await this.#makeRoom()) > 0) await this.#measure()
      this.#isUnknown = false
    } catch (error) {
      if (!this.#isUnknown) log.error('the disk could not be looked at', { error })
      this.#isUnknown = true
    }
  }

  async #measure(): Promise<void> {
    const { disk, options, log } = this.#deps
    this.#space = await disk.space()
    const { totalBytes, freeBytes } = this.#space
    this.#marks = marksOf(totalBytes, options, this.#wanted)
    this.#wanted = 0
    const { high, low, reserve, resume } = this.#marks
    // The database stops somewhat later than the guard: it is there for what comes between two looks.
    disk.keepFree(reserve / 2)
    const before = this.#state()
    this.#isTight = freeBytes < (this.#isTight ? low : high)
    this.#isFull = freeBytes < (this.#isFull ? resume : reserve)
    const after = this.#state()
    if (after === before) return
    const fields = { freeBytes, totalBytes, mark: high, reserve }
    if (after === 'full') log.error('the disk is full: telemetry is refused', fields)
    else if (after === 'tight') log.warn(before === 'full' ? 'telemetry is taken again' : 'the disk is above its high-water mark', fields)
    else log.info('the disk has room again', fields)
  }

  /** @returns how many partitions were dropped */
  async #makeRoom(): Promise<number> {
    const { disk, options, clock } = this.#deps
    if (options.whenFull === 'refuse') return 0
    const [partitions, leavingBytes] = [await disk.partitions(), await disk.leaving()]
    const chosen = chooseDrops({ space: { ...this.#space, leavingBytes }, marks: this.#marks, partitions, now: clock.now(), isTight: this.#isTight })
    let count = 0
    for (const partition of chosen) {
      if (!(await this.#drop(partition))) break
      count += 1
    }
    return count
  }

  async #drop(partition: Partition): Promise<boolean> {
    const { disk, state, clock, log } = this.#deps
    const { table, id, rows, bytes, newest } = partition
    const dropped: DroppedPartition = { time: clock.now(), table, id, rows, bytes, newest }
    try {
      await disk.drop(partition)
    } catch (error) {
      log.error('a partition could not be dropped', { table, partition: id, bytes, error })
      return false
    }
    log.warn('a partition was dropped for want of room', { table, partition: id, rows, bytes, newest: new Date(newest).toISOString() })
    this.#partitions.add(1, { table })
    this.#bytes.add(bytes, { table })
    this.#dropped = [dropped, ...this.#dropped].slice(0, DROPPED_TOLD)
    // That it happened is known from the log and until a restart in any case.
    await state.append([{ kind: KIND, key: KEY, state: 'dropped', service: '', severity: '', actor: '', doc: dropped }]).catch((error: unknown) => log.warn('a drop could not be noted', { error }))
    return true
  }
}

function droppedOf(doc: unknown): DroppedPartition[] {
  const fields: ReadonlyMap<string, unknown> = new Map(typeof doc === 'object' && doc !== null ? Object.entries(doc) : [])
  const [table, id] = [fields.get('table'), fields.get('id')]
  const numbers = (['time', 'rows', 'bytes', 'newest'] as const).map((name) => fields.get(name))
  const [time, rows, bytes, newest] = numbers.map(Number)
  if (typeof table !== 'string' || typeof id !== 'string' || time === undefined || rows === undefined || bytes === undefined || newest === undefined || !numbers.every((each) => typeof each === 'number')) return []
  return [{ time, table, id, rows, bytes, newest }]
}
