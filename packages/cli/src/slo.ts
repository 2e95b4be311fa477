import { writeFileSync } from 'node:fs'
import { AndonError } from '@andon/model'
import { ask, refusalOf, request, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { loadServer } from './server-package.ts'
import { table } from './table.ts'

/** A window of an objective, as far as it is shown. */
interface Window {
  readonly name: string
  readonly attainment: number | null
  readonly bad: number
  readonly total: number
  readonly allowed: number
  readonly remaining: number | null
  readonly outageMinutes: number | null
  readonly exhaustedInMs: number | null
}

interface Objective {
  readonly id: string
  readonly name: string
  readonly service: string
  readonly target: number
  readonly state: string
  readonly lastError: string
  readonly windows: readonly Window[]
  readonly burnRates: Readonly<Record<string, number | null>>
}

interface Entry {
  readonly title: string
  readonly bad: number
  readonly share: number
}

interface Ledger {
  readonly byIncident: readonly Entry[]
  readonly byRoute: readonly Entry[]
  readonly byRelease: readonly Entry[]
}

export interface SloFlags extends ServerFlags {
  readonly json?: boolean
}

const percent = (share: number | null | undefined, digits = 3): string => (share === null || share === undefined ? 'no data' : `${Number((share * 100).toFixed(digits))} %`)
const short = (value: number | null | undefined): string => (value === null || value === undefined ? '-' : String(Number(value.toPrecision(3))))

function duration(ms: number | null): string {
  if (ms === null) return 'lasts'
  if (ms <= 0) return 'spent'
  const hours = ms / 3_600_000
  return hours < 1 ? `${Math.ceil(ms / 60_000)} min` : hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`
}

async function read<T>(path: string, flags: ServerFlags): Promise<T> {
  const answer = await ask<T & { readonly error?: unknown }>(`${flags.url}${path}`, flags)
  if (answer.error !== undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server refused.'))
  return answer
}

/** Objectives as a table, the worst first. */
export function renderObjectives(objectives: readonly Objective[]): string {
  if (objectives.length === 0) return 'No objective yet: each service that sends requests gets two, and files of objectives say more.'
  const rows = objectives.map(({ id, state, target, windows, burnRates }) => {
    const [main] = windows
    return [id, state, percent(target), main?.name ?? '', percent(main?.attainment), percent(main?.remaining, 1), short(burnRates['1h']), duration(main?.exhaustedInMs ?? null)]
  })
  return table(['objective', 'state', 'target', 'window', 'attained', 'budget left', 'burn 1h', 'lasts'], rows)
}

/**
 * All objectives of a server.
 *
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function listObjectives(flags: SloFlags & { readonly service?: string }): Promise<string> {
  const { service, json } = flags
  const answer = await read<{ readonly objectives: readonly Objective[] }>(`/api/objectives${service === undefined ? '' : `?service=${encodeURIComponent(service)}`}`, flags)
  return json === true ? JSON.stringify(answer, undefined, 2) : renderObjectives(answer.objectives)
}

/**
 * One objective with its windows and who spent its budget.
 *
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function showObjective(id: string, flags: SloFlags): Promise<string> {
  const path = `/api/objectives/${encodeURIComponent(id)}`
  const objective = await read<Objective>(path, flags)
  const ledger = await read<Ledger>(`${path}/ledger`, flags)
  if (flags.json === true) return JSON.stringify({ ...objective, ledger }, undefined, 2)
  const windows = objective.windows.map((window) => [window.name, percent(window.attainment), short(window.bad), short(window.total), short(window.allowed), percent(window.remaining, 1), short(window.outageMinutes), duration(window.exhaustedInMs)])
  const part = (title: string, entries: readonly Entry[]): string[] => (entries.length === 0 ? [] : ['', table([title, 'bad', 'share'], entries.slice(0, 10).map((entry) => [entry.title, short(entry.bad), percent(entry.share, 1)]))])
  return [
    `${objective.name} (${objective.service}): ${percent(objective.target)} wanted, ${objective.state}${objective.lastError === '' ? '' : `; could not be counted: ${objective.lastError}`}`,
    '',
    table(['window', 'attained', 'bad', 'counted', 'may be bad', 'budget left', 'outage minutes left', 'lasts'], windows),
    '',
    `burn rates: ${Object.entries(objective.burnRates).map(([name, rate]) => `${name} ${short(rate)}`).join(', ')}`,
    ...part('spent by incident', ledger.byIncident),
    ...part('spent by route', ledger.byRoute),
    ...part('spent by release', ledger.byRelease),
  ].join('\n')
}

/**
 * The report of an agreement.
 *
 * @returns the report, or where it was written
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function reportAgreement(id: string, flags: ServerFlags & { readonly month?: string; readonly format: string; readonly out?: string }): Promise<string> {
  const params = new URLSearchParams({ format: flags.format, ...(flags.month !== undefined && { month: flags.month }) })
  const { status, bytes } = await request(`${flags.url}/api/agreements/${encodeURIComponent(id)}/report?${params.toString()}`, flags)
  const body = new TextDecoder().decode(bytes)
  if (status !== 200) {
    const answer: unknown = JSON.parse(body)
    throw new CommandError(EXIT.problem, refusalOf(typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'error') : undefined, 'The server gave no report.'))
  }
  if (flags.out === undefined) return flags.format === 'json' ? JSON.stringify(JSON.parse(body), undefined, 2) : body.trimEnd()
  writeFileSync(flags.out, bytes)
  return `written to ${flags.out}`
}

/**
 * Checks files of objectives: Andon's own, OpenSLO's and Sloth's.
 *
 * @param paths - of files; the last part of each may hold `*`
 * @returns a line for each objective
 * @throws CommandError problem, naming file, line and path of what is wrong
 */
export async function checkObjectives(paths: readonly string[]): Promise<string> {
  const { readObjectiveFiles } = await loadServer()
  try {
    const objectives = readObjectiveFiles(paths)
    if (objectives.length === 0) return 'no objectives'
    return objectives.map(({ id, file, service, target, windows, agreement }) => `${file}: ${id} of ${service}, ${percent(target, 6)} over ${windows.map(({ name }) => name).join(', ')}${agreement === undefined ? '' : `, an agreement with ${agreement.customer}`}`).join('\n')
  } catch (error) {
    if (error instanceof AndonError) throw new CommandError(EXIT.problem, `${error.message}\n${error.hint}`)
    throw error
  }
}
