// andon profile: takes a profile of a running service through its server.
import { accessSync, constants, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PROFILE_KINDS, type ProfileKind, type ProfileType } from '@andon/model'
import { ask, refusalOf, request } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { setWish, type SetWish } from './profile-control.ts'
import { renderFlame } from './profile-flame.ts'
import { amountText, type FlameNode, type FlameUnit, renderTop, topFunctions } from './profile-table.ts'
import { chooseTargets, listAgents, type ListedAgent, type Machine, printable, type TargetFlags, thisMachine } from './profile-target.ts'

export interface ProfileFlags extends TargetFlags {
  /** As it was typed. */
  readonly seconds?: string | undefined
  readonly type?: string | undefined
  readonly out?: string | undefined
  readonly json?: boolean | undefined
}

/** What the command stands on; replaced in tests. */
export interface ProfileDeps {
  /** Ends the command: what was asked of the agents is taken back. */
  readonly signal: AbortSignal
  /** A line for the person, beside the result. */
  readonly say: (line: string) => void
  readonly machine?: Machine
  /** Waits, or rejects with the signal's reason. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
  readonly folder?: string
}

const SECONDS_MAX = 3000
/** How long agents may take to hear of it: they do with their next export. */
const HEARD_MS = 40_000
/** How long the profile may take to arrive after its end. */
const ARRIVED_MS = 30_000
/** After an agent has returned to its own state, it has sent what it has. */
const SENT_MS = 5000
const LOOK_MS = 500
const FUNCTIONS_MAX = 20
/** What a page shows of the time before a profile. */
const BEFORE_MS = 5 * 60_000

const TYPES: Readonly<Record<ProfileKind, { readonly type: ProfileType; readonly what: string }>> = {
  cpu: { type: 'cpu', what: 'of CPU time within' },
  heap: { type: 'heap_space', what: 'in use after' },
  // Until the agent has heard of the end.
  allocation: { type: 'alloc_space', what: 'allocated within at least' },
}

interface Asked {
  readonly seconds: number
  readonly kind: ProfileKind
}

function readFlags({ service, instance, pid, seconds = '10', type = 'cpu', out }: ProfileFlags): Asked {
  if (pid !== undefined ? service !== undefined || instance !== undefined : service === undefined && instance === undefined) {
    throw new CommandError(EXIT.usage, 'Say what to profile: --service NAME, with --instance ID for one of several, or --pid PID.')
  }
  const number = /^\d{1,4}(?:\.\d+)?$/.test(seconds) ? Number(seconds) : Number.NaN
  if (!(number >= 1 && number <= SECONDS_MAX)) throw new CommandError(EXIT.usage, `--seconds must be a number from 1 to ${SECONDS_MAX}, not "${seconds}".`)
  const kind = PROFILE_KINDS.find((each) => each === type)
  if (kind === undefined) throw new CommandError(EXIT.usage, `--type must be one of ${PROFILE_KINDS.join(', ')}, not "${type}".`)
  try {
    // Before time is spent on what cannot be kept.
    accessSync(dirname(resolve(out ?? '.')), constants.W_OK)
  } catch {
    throw new CommandError(EXIT.usage, `The folder of ${out ?? 'the profile'} cannot be written to.`)
  }
  return { seconds: number, kind }
}

interface Watched extends ListedAgent {
  readonly wish: SetWish
}

/** Looks at the server every half second until something holds, or the time is over. */
class Patience {
  readonly #deps: Required<Pick<ProfileDeps, 'signal' | 'wait' | 'now'>>

  constructor(deps: Required<Pick<ProfileDeps, 'signal' | 'wait' | 'now'>>) {
    this.#deps = deps
  }

  async until<T>(forMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    const { signal, wait, now } = this.#deps
    const end = now() + forMs
    for (;;) {
      const found = await look()
      if (found !== undefined || now() >= end) return found
      await wait(LOOK_MS, signal)
    }
  }
}

/**
 * Takes a profile of a running service; settles when it has arrived and is written.
 *
 * @returns the text for standard output
 * @throws CommandError usage, problem or unreachable; the signal's reason when it was aborted. What was asked of the agents is then taken back.
 */
export async function profile(flags: ProfileFlags, deps: ProfileDeps): Promise<string> {
  const { signal, say, machine = thisMachine, wait = (ms, given) => sleep(ms, undefined, { signal: given }), now = () => performance.now() } = deps
  const { seconds, kind } = readFlags(flags)
  const targets = chooseTargets(await listAgents(flags, signal), flags, machine)
  const patience = new Patience({ signal, wait, now })
  const watched: Watched[] = []
  const end = async (): Promise<void> => {
    const results = await Promise.allSettled(watched.map(({ wish }) => wish.end()))
    if (results.some(({ status }) => status === 'rejected')) say(`What was asked of the agents could not be taken back; it ends by itself within ${Math.ceil(HEARD_MS / 1000 + seconds)} s.`)
  }
  let range: { from: number; to: number }
  let heard: readonly Watched[]
  try {
    for (const agent of targets) {
      signal.throwIfAborted()
      watched.push({ ...agent, wish: await setWish(flags, { ...agent, kind, forMs: HEARD_MS + seconds * 1000 }, signal) })
    }
    say(`Waiting for ${targets.map(({ service, instance }) => printable(`${service} ${instance}`)).join(', ')} to hear of it …`)
    const started = await patience.until(HEARD_MS, () => whenHeard(flags, watched, signal))
    const list = await listAgents(flags, signal)
    heard = watched.filter(({ instance, wish }) => list.agents.some((agent) => agent.instance === instance && agent.revision === wish.revision))
    if (heard.length === 0) throw new CommandError(EXIT.problem, `No agent has heard of it within ${HEARD_MS / 1000} s.\nAgents hear with each export: does the service still send? Its OTEL_METRIC_EXPORT_INTERVAL may be longer.`)
    if (heard.length < watched.length) say(`${watched.length - heard.length} of ${watched.length} instances have not heard of it and are left out.`)
    const from = started ?? list.now
    say(`Profiling for ${seconds} s (Ctrl+C ends it) …`)
    await wait(seconds * 1000, signal)
    range = { from, to: from + Math.round(seconds * 1000) }
  } finally {
    await end()
  }
  say('Waiting for the profile …')
  await patience.until(ARRIVED_MS, arrival(flags, heard, { kind, to: range.to }, { signal, now }))
  return await result(flags, heard, { seconds, kind, range }, deps)
}

/** When all agents have applied what was asked, by the server's clock. */
async function whenHeard(flags: ProfileFlags, watched: readonly Watched[], signal: AbortSignal): Promise<number | undefined> {
  const { now, agents } = await listAgents(flags, signal)
  return watched.every(({ instance, wish }) => agents.some((agent) => agent.instance === instance && agent.revision === wish.revision)) ? now : undefined
}

interface Set {
  readonly type: string
  readonly last: number
  readonly until: number
}

/** Looks whether every instance has sent what reaches to the end, or has returned to its own state with nothing to send. */
function arrival(flags: ProfileFlags, heard: readonly Watched[], { kind, to }: { kind: ProfileKind; to: number }, { signal, now }: { signal: AbortSignal; now: () => number }): () => Promise<true | undefined> {
  const waiting = new Map(heard.map((agent) => [agent.instance, agent]))
  const left = new Map<string, number>()
  const { type } = TYPES[kind]
  return async () => {
    const { agents, now: serverNow } = await listAgents(flags, signal)
    for (const { service, instance, wish } of waiting.values()) {
      const query = new URLSearchParams({ service, instance, from: String(wish.at - 70_000), to: String(serverNow + 60_000) })
      const { sets = [] } = await ask<{ readonly sets?: readonly Set[] }>(`${flags.url}/api/profiles?${query.toString()}`, flags, { signal })
      // What is in use is a moment, all else a stretch of time; clocks part by a second.
      const isThere = sets.some((set) => set.type === type && (kind === 'heap' ? set.last : set.until) >= to - 1000)
      const hasLeft = agents.every((agent) => agent.instance !== instance || agent.revision !== wish.revision)
      if (hasLeft && !left.has(instance)) left.set(instance, now())
      if (isThere || (hasLeft && now() - (left.get(instance) ?? Infinity) >= SENT_MS)) waiting.delete(instance)
    }
    return waiting.size === 0 ? true : undefined
  }
}

interface Taken {
  readonly seconds: number
  readonly kind: ProfileKind
  readonly range: { readonly from: number; readonly to: number }
}

interface Flame {
  readonly unit: FlameUnit
  readonly root: FlameNode
}

async function result(flags: ProfileFlags, heard: readonly Watched[], taken: Taken, { signal, folder = process.cwd() }: ProfileDeps): Promise<string> {
  const { kind, range } = taken
  const [first] = heard
  const service = first?.service ?? ''
  // Heaps and allocations stand for the whole of their profile, which began when the agent heard and ended when it heard of the end.
  const { from, to } = kind === 'cpu' ? range : { from: Math.min(...heard.map(({ wish }) => wish.at)), to: (await listAgents(flags, signal)).now + 1000 }
  const { type } = TYPES[kind]
  const query = new URLSearchParams({ service, type, from: String(from), to: String(to), ...(heard.length === 1 && first !== undefined && { instance: first.instance }) }).toString()
  const { root, unit } = await flameOf(flags, query, { ...taken, service }, signal)
  const file = resolve(folder, flags.out ?? `${service.replaceAll(/[^\w.-]/g, '_')}-${kind}-${new Date(from).toISOString().replaceAll(/[:.]/g, '-')}.pb.gz`)
  await writePprof(flags, query, file, signal)
  const functions = topFunctions(root)
  const link = `${flags.url}/api/profiles/flame?${query}`
  const page = pageOf(flags.url, service, { from, to })
  if (flags.json === true) return JSON.stringify({ service, instances: heard.map(({ instance }) => instance), type, from, to, unit, total: root.total, functions, file, flame: link, page }, undefined, 2)
  const whose = printable(heard.length === 1 ? `${service} ${first?.instance ?? ''}` : `${service}, ${heard.length} instances`)
  return [
    `${whose}: ${amountText(root.total, unit)} ${TYPES[kind].what} ${taken.seconds} s`,
    '',
    renderTop(functions.slice(0, FUNCTIONS_MAX), root.total, unit, folder),
    ...(functions.length > FUNCTIONS_MAX ? [`and ${functions.length - FUNCTIONS_MAX} more functions`] : []),
    '',
    renderFlame(root, unit, folder),
    '',
    `pprof: ${file}`,
    `Flame graph as JSON: ${link}`,
    `The service at that time: ${page}`,
  ].join('\n')
}

/** The page of the service with the minutes before: its rate, its resources and what blocked it. */
function pageOf(url: string, service: string, { from, to }: Taken['range']): string {
  return `${url}/service/${encodeURIComponent(service)}?from=${secondOf(from - BEFORE_MS)}&to=${secondOf(to)}`
}

/** The next whole second, as the dashboard has it in its addresses. */
function secondOf(at: number): string {
  return new Date(Math.ceil(at / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

async function flameOf(flags: ProfileFlags, query: string, { service, kind, seconds }: Taken & { readonly service: string }, signal: AbortSignal): Promise<Flame> {
  const { root, unit, error } = await ask<Partial<Flame> & { readonly error?: unknown }>(`${flags.url}/api/profiles/flame?${query}`, flags, { signal })
  if (root === undefined || unit === undefined) throw new CommandError(EXIT.problem, refusalOf(error, 'The server gave no profile.'))
  if (root.total > 0) return { root, unit }
  const why = kind === 'cpu' ? 'it was idle, or its sampler could not be loaded' : 'it allocated next to nothing, or its sampler could not be started'
  throw new CommandError(EXIT.problem, `${printable(service)} sent no ${kind} profile for these ${seconds} s: ${why}.\nProfile it under load; OTEL_LOG_LEVEL=warn in the service shows what its agent says.`)
}

async function writePprof(flags: ProfileFlags, query: string, file: string, signal: AbortSignal): Promise<void> {
  const { status, bytes } = await request(`${flags.url}/api/profiles/pprof?${query}`, flags, { signal })
  if (status !== 200) throw new CommandError(EXIT.problem, `The server gave no pprof (status ${status}).`)
  try {
    writeFileSync(file, bytes)
  } catch (error) {
    throw new CommandError(EXIT.problem, `${file} could not be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
