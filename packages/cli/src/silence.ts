import { userInfo } from 'node:os'
import { ask, refusalOf, request, type ServerFlags } from './ask.ts'
import { ageText } from './alerts.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface SilenceFlags extends ServerFlags {
  readonly json?: boolean
}

export interface AddFlags extends SilenceFlags {
  /** Such as 2h. */
  readonly duration: string
  /** Why. */
  readonly comment: string
  /** When it begins; now when absent. */
  readonly start?: string
  readonly author?: string
}

export interface ListFlags extends SilenceFlags {
  /** With those that have ended. */
  readonly all?: boolean
}

interface Matcher {
  readonly name: string
  readonly operator: string
  readonly value: string
}

/** One silence of GET /api/silences. */
interface Silence {
  readonly id: string
  readonly state: string
  readonly matchers: readonly Matcher[]
  readonly startsAt: number
  readonly endsAt: number
  readonly createdBy: string
  readonly comment: string
}

interface Answer extends Partial<Silence> {
  readonly now?: number
  readonly silences?: readonly Silence[]
  readonly error?: unknown
}

/** Who asks, where the system knows. */
function ownName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

function leftText({ state, startsAt, endsAt }: Silence, now: number): string {
  if (state === 'expired') return `ended ${ageText(now - endsAt)} ago`
  return state === 'pending' ? `begins in ${ageText(startsAt - now)}` : `${ageText(endsAt - now)} left`
}

const matchersText = (matchers: readonly Matcher[]): string => matchers.map(({ name, operator, value }) => `${name}${operator}${JSON.stringify(value)}`).join(', ')

/** Silences as a table for people. */
export function renderSilences(silences: readonly Silence[], now: number): string {
  if (silences.length === 0) return 'Nothing is silenced.'
  return table(['id', 'state', 'time', 'what', 'by', 'why'], silences.map((one) => [one.id, one.state, leftText(one, now), matchersText(one.matchers), one.createdBy, one.comment]))
}

/**
 * Makes a silence of all that these matchers hold for.
 *
 * @param matchers - such as service_name=shop; one without an operator is the name of an alert
 * @returns its id
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function addSilence(matchers: readonly string[], flags: AddFlags): Promise<string> {
  const { url, duration, comment, start, author = ownName(), json } = flags
  const texts = matchers.map((one) => (/[=~]/.test(one) ? one : `alertname=${JSON.stringify(one)}`))
  const body = { matchers: texts, duration, comment, ...(start !== undefined && { startsAt: start }), ...(author !== undefined && { createdBy: author }) }
  const answer = await ask<Answer>(`${url}/api/silences`, flags, { method: 'POST', body })
  if (answer.id === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server made no silence.'))
  return json === true ? JSON.stringify(answer, undefined, 2) : answer.id
}

/** Silences that hold or will; all of the last five days where they are asked for. @throws CommandError unreachable, problem */
export async function listSilences(flags: ListFlags): Promise<string> {
  const answer = await ask<Answer>(`${flags.url}/api/silences`, flags)
  if (answer.silences === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server gave no silences.'))
  const shown = answer.silences.filter(({ state }) => flags.all === true || state !== 'expired')
  return flags.json === true ? JSON.stringify(shown, undefined, 2) : renderSilences(shown, answer.now ?? 0)
}

/** Ends silences. @returns what to say @throws CommandError unreachable, problem at the first that cannot be ended */
export async function expireSilences(ids: readonly string[], flags: ServerFlags): Promise<string> {
  for (const id of ids) {
    const { status, bytes } = await request(`${flags.url}/api/silences/${encodeURIComponent(id)}`, flags, { method: 'DELETE' })
    if (status === 204) continue
    let refusal: unknown
    try {
      refusal = JSON.parse(new TextDecoder().decode(bytes))
    } catch {
      refusal = undefined
    }
    const error: unknown = typeof refusal === 'object' && refusal !== null ? Reflect.get(refusal, 'error') : undefined
    throw new CommandError(EXIT.problem, refusalOf(error, `The silence ${id} could not be ended (status ${status}).`))
  }
  return ids.length === 1 ? 'The silence has ended.' : `${ids.length} silences have ended.`
}
