import { ask, refusalOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'

export interface DeployFlags extends ServerFlags {
  readonly service: string
  readonly version: string
  readonly environment?: string
  readonly note?: string
  /** When; now when absent. */
  readonly at?: string
  readonly json?: boolean
}

interface Answer {
  readonly id?: string
  readonly service: string
  readonly version: string
  readonly at: number
  readonly error?: unknown
}

/**
 * Marks a release, so that what follows is held against what was before.
 *
 * @returns the text for standard output
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function deploy(flags: DeployFlags): Promise<string> {
  const { url, service, version, environment, note, at, json } = flags
  const body = { service, version, ...(environment !== undefined && { environment }), ...(note !== undefined && { note }), ...(at !== undefined && { at }) }
  const answer = await ask<Answer>(`${url}/api/deploys`, flags, { method: 'POST', body })
  if (answer.id === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The release was not marked.'))
  if (json === true) return JSON.stringify(answer, undefined, 2)
  return `${answer.service} ${answer.version} is marked at ${new Date(answer.at).toISOString()}.\nIn half an hour its comparison is whole: ${url}/api/deploys/${answer.id}`
}
