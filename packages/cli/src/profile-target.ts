// Which agents are asked for a profile: those of a service, one instance, or the one within a process of this machine.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { ask, refusalOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'

/** One agent of GET /api/agents. */
export interface ListedAgent {
  readonly service: string
  readonly instance: string
  readonly revision: number
  readonly capabilities: readonly string[]
  /** Milliseconds since the Unix epoch, by the server's clock. */
  readonly lastSeen: number
}

/** The agents that a server knows, and its time. */
export interface AgentList {
  readonly now: number
  readonly agents: readonly ListedAgent[]
}

export interface TargetFlags extends ServerFlags {
  readonly service?: string | undefined
  readonly instance?: string | undefined
  /** As it was typed. */
  readonly pid?: string | undefined
}

/** What is asked of the operating system; replaced in tests. */
export interface Machine {
  readonly host: string
  /** Throws as `process.kill(pid, 0)` does. */
  probe(pid: number): void
  /** A file of the kernel about a process; undefined where it cannot be read. */
  read(pid: number, file: 'cmdline' | 'environ'): string | undefined
}

export const thisMachine: Machine = {
  host: hostname(),
  probe: (pid) => void process.kill(pid, 0),
  read: (pid, file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'utf8')
    } catch {
      return undefined
    }
  },
}

/** An agent that was silent for longer is taken for gone. */
const GONE_MS = 5 * 60_000
/** Agents that one command profiles at once. */
const TARGETS_MAX = 20
const RUN_HINT = 'Start it with the agent: andon run -- node app.js'

/** @throws CommandError problem where the server refuses, such as without a token */
export async function listAgents(flags: ServerFlags, signal?: AbortSignal): Promise<AgentList> {
  const answer = await ask<Partial<AgentList> & { readonly error?: unknown }>(`${flags.url}/api/agents`, flags, { signal })
  if (answer.agents === undefined || answer.now === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server gave no list of agents.'))
  return { now: answer.now, agents: answer.agents }
}

/**
 * The agents that a command line means.
 *
 * @throws CommandError usage for what cannot be meant; problem, with what to do, where there is no such agent or it cannot profile
 */
export function chooseTargets(list: AgentList, flags: TargetFlags, machine: Machine = thisMachine): readonly ListedAgent[] {
  const chosen = flags.pid === undefined ? ofService(list, flags) : [ofProcess(list, flags.pid, flags.url, machine)]
  const there = chosen.filter(({ lastSeen }) => list.now - lastSeen <= GONE_MS)
  if (there.length === 0) {
    const silent = Math.round((list.now - Math.max(...chosen.map(({ lastSeen }) => lastSeen))) / 60_000)
    throw new CommandError(EXIT.problem, `${named(chosen)} was heard ${silent} minutes ago and not since then.\nDoes it still run, and can it reach ${flags.url}?`)
  }
  const able = there.filter(({ capabilities }) => capabilities.includes('profile'))
  if (able.length === 0) throw new CommandError(EXIT.problem, `The agent of ${named(there)} cannot take profiles.\nUpdate @andon/agent in that service.`)
  if (able.length > TARGETS_MAX) throw new CommandError(EXIT.usage, `${able.length} instances of ${able[0]?.service ?? ''} run, and at most ${TARGETS_MAX} are profiled at once.\nName one with --instance, such as ${able[0]?.instance ?? ''}.`)
  return able
}

/** Control characters of what a service says of itself stay out of the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�')
}

function named(agents: readonly ListedAgent[]): string {
  const [first] = agents
  return agents.length === 1 ? printable(`${first?.service ?? ''} ${first?.instance ?? ''}`) : printable(first?.service ?? '')
}

function listed(names: readonly string[]): string {
  const distinct = [...new Set(names)].map(printable)
  return distinct.slice(0, 10).join(', ') + (distinct.length > 10 ? ` and ${distinct.length - 10} more` : '')
}

function ofService({ agents }: AgentList, { service, instance, url }: TargetFlags): readonly ListedAgent[] {
  const ofName = service === undefined ? agents : agents.filter((agent) => agent.service === service)
  if (ofName.length === 0) {
    const known = agents.length === 0 ? `It has heard no agent at all.\n${RUN_HINT}` : `Services with an agent: ${listed(agents.map((agent) => agent.service))}.`
    throw new CommandError(EXIT.problem, `${url} has heard no agent of the service "${service ?? ''}".\n${known}`)
  }
  const found = instance === undefined ? ofName : ofName.filter((agent) => agent.instance === instance)
  if (found.length === 0) throw new CommandError(EXIT.problem, `${url} has heard no agent of the instance "${instance ?? ''}".\nInstances: ${listed(ofName.map((agent) => agent.instance))}.`)
  return found
}

function ofProcess({ agents }: AgentList, typed: string, url: string, machine: Machine): ListedAgent {
  const pid = /^\d{1,10}$/.test(typed) ? Number(typed) : 0
  if (pid === 0) throw new CommandError(EXIT.usage, `"${typed}" is not the number of a process.`)
  const isForeign = probe(pid, machine)
  const own = agents.find(({ instance }) => instance === `${machine.host}:${pid}`)
  const given = givenInstance(machine.read(pid, 'environ') ?? '')
  const found = own ?? agents.find(({ instance }) => instance === given)
  if (found !== undefined) return found
  const command = printable((machine.read(pid, 'cmdline') ?? '').split('\0').join(' ').trim()).slice(0, 200)
  const what = `Process ${pid}${command === '' ? '' : ` (${command})`}`
  const hints = [RUN_HINT, `If it has one already: does it send to ${url}? Name another server with --url, or another instance with --instance.`]
  if (isForeign) hints.unshift('It belongs to another user, so that nothing more is known of it here.')
  throw new CommandError(EXIT.problem, `${what} has no agent that ${url} has heard.\n${hints.join('\n')}`)
}

/** @returns whether the process belongs to somebody else */
function probe(pid: number, machine: Machine): boolean {
  try {
    machine.probe(pid)
    return false
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'EPERM') return true
    throw new CommandError(EXIT.problem, `There is no process ${pid} on this machine.`)
  }
}

/** `service.instance.id` where the process was given one instead of host:pid. */
function givenInstance(environ: string): string | undefined {
  const attributes = environ.split('\0').find((each) => each.startsWith('OTEL_RESOURCE_ATTRIBUTES='))
  const value = /(?:^|[=,])\s*service\.instance\.id=([^,]+)/.exec(attributes?.slice('OTEL_RESOURCE_ATTRIBUTES'.length) ?? '')?.[1]
  try {
    return value === undefined ? undefined : decodeURIComponent(value.trim())
  } catch {
    return value
  }
}
