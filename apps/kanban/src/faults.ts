// The kanban's fault switches: which faults are on, how strongly, and until when.
import { FAULT_KINDS, FAULT_NAMES, faultNamed, type FaultKind, type FaultName } from './fault-catalogue.ts'
import { Refusal } from './refusal.ts'

/** A fault as the admin route tells it. */
export interface FaultState extends FaultKind {
  readonly name: FaultName
  /** In `unit`; 0 while it is off. */
  readonly strength: number
}

/** Strengths of the faults that are wanted; those left out are off. */
export type Wanted = ReadonlyMap<FaultName, number>

/** Takes up a strength: begins, changes, or ends (0) what a fault needs beside the requests. */
type Apply = (strength: number) => void | Promise<void>

/** Faults that were forgotten end after so many seconds at the latest, where an end was asked for. */
export const MAX_SECONDS = 86_400

function refuse(message: string): never {
  throw new Refusal(400, 'bad_fault', message, `There are: ${FAULT_NAMES.join(', ')}. See docs/reference/kanban-api.md.`)
}

/**
 * Strengths by name, checked.
 *
 * @throws Refusal bad_fault for an unknown name, or a strength outside the fault's range
 */
export function wantedOf(strengths: Readonly<Record<string, number>>): Wanted {
  const wanted = new Map<FaultName, number>()
  for (const [text, strength] of Object.entries(strengths)) {
    const name = faultNamed(text)
    if (name === undefined) return refuse(`There is no fault "${text}".`)
    const { low, high, unit } = FAULT_KINDS[name]
    if (!Number.isFinite(strength) || (strength !== 0 && (strength < low || strength > high))) refuse(`${name} must be 0, or ${low} to ${high} ${unit}, not ${strength}.`)
    if (strength !== 0) wanted.set(name, strength)
  }
  return wanted
}

/** Reads `slow-query:20,errors`, as in KANBAN_FAULTS. @throws Refusal bad_fault */
export function parseFaults(text: string): Wanted {
  const strengths: Record<string, number> = {}
  for (const part of text.split(',').map((each) => each.trim()).filter((each) => each !== '')) {
    const [name = '', strength] = part.split(':')
    const known = faultNamed(name)
    strengths[name] = strength === undefined && known !== undefined ? FAULT_KINDS[known].otherwise : Number(strength)
  }
  return wantedOf(strengths)
}

/**
 * What the environment says of faults.
 *
 * @returns the faults to begin with, or undefined where faults are not enabled
 * @throws Refusal bad_fault when a variable is wrong, or KANBAN_FAULTS is set without KANBAN_FAULTS_ENABLED
 */
export function faultsOf(env: Readonly<Record<string, string | undefined>>): Wanted | undefined {
  const enabled = (env['KANBAN_FAULTS_ENABLED'] ?? '').toLowerCase()
  const text = env['KANBAN_FAULTS'] ?? ''
  if (['1', 'true'].includes(enabled)) return parseFaults(text)
  if (!['', '0', 'false'].includes(enabled)) refuse(`KANBAN_FAULTS_ENABLED must be 1 or 0, not "${enabled}".`)
  if (text !== '') refuse('KANBAN_FAULTS is set, but faults are not enabled: set KANBAN_FAULTS_ENABLED=1 too.')
  return undefined
}

/** The switches. One of them per kanban, made only where faults are enabled. */
export class Faults {
  readonly #strengths = new Map<FaultName, number>()
  readonly #applies = new Map<FaultName, Apply>()
  readonly #random: () => number
  #until: number | undefined
  #timer: NodeJS.Timeout | undefined
  /** Changes come one after another. */
  #changing: Promise<void> = Promise.resolve()

  /** @param random - numbers within 0..1 that decide which requests a fault strikes */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** How strong a fault is, in its unit; 0 while it is off. */
  strength(name: FaultName): number {
    return this.#strengths.get(name) ?? 0
  }

  /** Whether a fault whose strength is a share strikes this time. */
  strikes(name: FaultName): boolean {
    const share = this.#strengths.get(name)
    return share !== undefined && this.#random() < share
  }

  /** Has a fault begin and end more than a number: called with each new strength, one call at a time. One for each fault. */
  when(name: FaultName, apply: Apply): void {
    this.#applies.set(name, apply)
  }

  states(): FaultState[] {
    return FAULT_NAMES.map((name) => ({ name, strength: this.strength(name), ...FAULT_KINDS[name] }))
  }

  /** When the faults go off by themselves, milliseconds since the epoch; undefined when they stay. */
  get until(): number | undefined {
    return this.#until
  }

  /**
   * Puts on what is wanted and takes off all else; settles when it is so.
   *
   * @param seconds - after which all faults go off by themselves; they stay when absent
   * @throws what a fault could not do; it is off then
   */
  async replace(wanted: Wanted, seconds?: number): Promise<void> {
    const change = this.#changing.then(() => this.#replace(wanted, seconds))
    this.#changing = change.catch(() => undefined)
    await change
  }

  async #replace(wanted: Wanted, seconds: number | undefined): Promise<void> {
    clearTimeout(this.#timer)
    this.#until = undefined
    for (const name of FAULT_NAMES) await this.#set(name, wanted.get(name) ?? 0)
    if (seconds === undefined || wanted.size === 0) return
    this.#until = Date.now() + seconds * 1000
    this.#timer = setTimeout(() => void this.replace(new Map()).catch(() => undefined), seconds * 1000).unref()
  }

  async #set(name: FaultName, strength: number): Promise<void> {
    if (strength === this.strength(name)) return
    // Off before its means go, and on when they are there.
    this.#strengths.delete(name)
    await this.#applies.get(name)?.(strength)
    if (strength > 0) this.#strengths.set(name, strength)
  }

  /** Ends all faults. */
  async close(): Promise<void> {
    await this.replace(new Map())
  }
}
