// Records a piece of the corpus: goes on in the plan where the last piece ended, and adds to the manifest.
import { loadavg } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { Milliseconds } from '@andon/model'
import { STEP_MS, type Truth } from '../scoring/stretch.ts'
import { type Injection, planOf } from './plan.ts'
import { readSlices } from './queries.ts'
import { append, type Manifest, readManifest, type Recording, type Segment, writeManifest, writeRecording } from './recording.ts'
import { Stand, type StandOptions } from './stand.ts'

export interface PieceOptions {
  readonly folder: string
  /** How long the piece may take. */
  readonly minutes: number
  /** How long each fault is on. */
  readonly faultMinutes: number
  /** Time for a new kanban to fill its board and warm up, before anything is recorded. */
  readonly settleMinutes: number
  /** Of the plan; only the first piece of a folder decides. */
  readonly seed: number
  /** Only what the plan has for this load; all loads in turn when absent. */
  readonly load?: number
  readonly machine: string
  /** What else is to be known of the piece. */
  readonly note: string
  /** Ends the piece early, with all that was recorded. */
  readonly signal: AbortSignal
  readonly told?: (line: string) => void
  /** Another clock than the machine's, for tests. */
  readonly clock?: RecordClock
  /** Another stand than real programs, for tests. */
  readonly start?: (options: StandOptions) => Promise<Standing>
}

export interface RecordClock {
  readonly now: () => Milliseconds
  /** Waits, or until it is to end. */
  readonly wait: (milliseconds: Milliseconds, signal?: AbortSignal) => Promise<void>
}

/** The clock of the machine. */
const REAL: RecordClock = {
  now: () => Date.now(),
  wait: (milliseconds, signal) => wait(milliseconds, undefined, signal === undefined ? {} : { signal }).catch(() => undefined),
}

/** What a piece needs of a stand. */
export type Standing = Pick<Stand, 'andon' | 'broken' | 'setFaults' | 'stop'>

const SERVICE = 'kanban'
const MINUTE: Milliseconds = 60_000
/** What was measured has arrived and is stored after so long: two exports of the agent. */
const ARRIVAL_MS: Milliseconds = 12_000

const floor = (time: Milliseconds): Milliseconds => Math.floor(time / STEP_MS) * STEP_MS

/** One stand under one load, from its start to its end. */
class Course {
  readonly #options: PieceOptions
  readonly #stand: Standing
  readonly #clock: RecordClock
  readonly #first: Injection
  readonly #file: string
  readonly #faults: Truth[] = []
  readonly #loads: number[] = []
  /** End of the last slice that was read. */
  #until: Milliseconds
  #recording: Recording | undefined

  private constructor(options: PieceOptions, stand: Standing, first: Injection, number: number) {
    this.#options = options
    this.#clock = options.clock ?? REAL
    this.#stand = stand
    this.#first = first
    this.#file = `segment-${String(number).padStart(4, '0')}.json.br`
    this.#until = floor(this.#clock.now())
  }

  static async begin(options: PieceOptions, first: Injection, number: number): Promise<Course> {
    const start = options.start ?? Stand.start.bind(Stand)
    const stand = await start({ load: first.load, seed: first.index + 1 })
    await (options.clock ?? REAL).wait(options.settleMinutes * MINUTE, options.signal)
    return new Course(options, stand, first, number)
  }

  get load(): number {
    return this.#first.load
  }

  get part(): Injection['part'] {
    return this.#first.part
  }

  /** @throws Error when a program ended */
  async quiet(milliseconds: number): Promise<void> {
    this.#loads.push(loadavg()[0] ?? 0)
    await this.#clock.wait(milliseconds, this.#options.signal)
    if (this.#stand.broken !== undefined) throw new Error(this.#stand.broken)
  }

  async inject({ index, fault, strength }: Injection): Promise<void> {
    const { faultMinutes } = this.#options
    const start = this.#clock.now()
    // It ends by itself should nobody be able to end it.
    await this.#stand.setFaults({ [fault]: strength }, faultMinutes * 60 + 5)
    const set = this.#clock.now()
    await this.quiet(faultMinutes * MINUTE)
    await this.#stand.setFaults({}, 1)
    this.#faults.push({ index, fault, strength, start, set, end: this.#clock.now() })
  }

  /** Reads what came since, and writes file and segment. */
  async save(manifest: Manifest, next: number): Promise<Manifest> {
    await this.#clock.wait(ARRIVAL_MS)
    const end = floor(this.#clock.now() - ARRIVAL_MS)
    const { folder, machine, note } = this.#options
    if (end > this.#until) {
      this.#recording = append(this.#recording, await readSlices(this.#stand.andon, SERVICE, this.#until, end))
      this.#until = end
      writeRecording(folder, this.#file, this.#recording)
    }
    if (this.#recording === undefined) return manifest
    const loadAverage = Number((this.#loads.reduce((sum, each) => sum + each, 0) / Math.max(1, this.#loads.length)).toFixed(2))
    const segment: Segment = { file: this.#file, part: this.part, load: this.load, start: this.#recording.start - STEP_MS, end: this.#until, faults: [...this.#faults], machine, loadAverage, note }
    const grown = { ...manifest, next, segments: [...manifest.segments.filter(({ file }) => file !== this.#file), segment] }
    writeManifest(folder, grown)
    return grown
  }

  async stop(): Promise<void> {
    await this.#stand.stop()
  }
}

/** How long an injection takes with the quiet time before it; after it comes as much as a fault. */
const lengthOf = ({ patience }: Injection, faultMinutes: number): Milliseconds => (2 + patience) * faultMinutes * MINUTE

/**
 * Records a piece.
 *
 * @returns the manifest, which is written too
 * @throws Error when a program ends or the kanban refuses; what was recorded until then is written
 */
export async function recordPiece(options: PieceOptions): Promise<Manifest> {
  const { folder, minutes, faultMinutes, settleMinutes, signal, told } = options
  let manifest = readManifest(folder, options.seed)
  const plan = planOf(manifest.seed).filter(({ load }) => options.load === undefined || load === options.load)
  const { now } = options.clock ?? REAL
  const until = now() + minutes * MINUTE
  // Asked again after each wait: it may have been aborted meanwhile.
  const isOver = (): boolean => signal.aborted
  let course: Course | undefined
  const finish = async (): Promise<void> => {
    if (course === undefined) return
    const ending = course
    course = undefined
    try {
      if (!isOver()) await ending.quiet(faultMinutes * MINUTE)
      manifest = await ending.save(manifest, manifest.next)
    } finally {
      await ending.stop()
    }
  }
  try {
    while (!isOver()) {
      // After its end the plan begins anew: more of the same, at other moments.
      const injection = plan[manifest.next % plan.length]
      if (injection === undefined) break
      const isOther = course === undefined || course.load !== injection.load || course.part !== injection.part
      const needed = lengthOf(injection, faultMinutes) + faultMinutes * MINUTE + (isOther ? settleMinutes * MINUTE : 0)
      if (now() + needed > until) break
      if (isOther) await finish()
      course ??= await Course.begin(options, injection, manifest.segments.length + 1)
      await course.quiet((1 + injection.patience) * faultMinutes * MINUTE)
      if (isOver()) break
      told?.(`${new Date(now()).toISOString()} ${(manifest.next % plan.length) + 1} of ${plan.length}: ${injection.fault} ${injection.strength} at ${injection.load} requests/s (${injection.part})`)
      await course.inject(injection)
      manifest = await course.save(manifest, manifest.next + 1)
    }
    await finish()
  } catch (error) {
    // What came after the last injection is not kept: a fault of which nothing is known may be in it.
    await course?.stop()
    throw error
  }
  return manifest
}
