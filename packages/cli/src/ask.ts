// One request to a running server.
import { CommandError, EXIT } from './exit.ts'

export interface ServerFlags {
  readonly url: string
  /** A token, where the server asks for one. */
  readonly token?: string | undefined
}

/**
 * The JSON that the server answers, also where it refuses; its shape is the route's contract, and not checked.
 *
 * @throws CommandError unreachable where nobody answers, or what answers is not Andon
 */
export async function ask<T>(target: string, flags: ServerFlags): Promise<T> {
  let response: Response
  try {
    response = await fetch(target, flags.token === undefined ? {} : { headers: { authorization: `Bearer ${flags.token}` } })
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new CommandError(EXIT.unreachable, `Andon does not answer at ${flags.url}: ${cause}\nStart it with: andon serve`)
  }
  try {
    const answer: T = JSON.parse(await response.text())
    return answer
  } catch {
    throw new CommandError(EXIT.unreachable, `What answers at ${flags.url} is not Andon (status ${response.status}).`)
  }
}

/** What a refusal says: Prometheus' text or our own envelope's message. */
export function messageOf(error: unknown, otherwise: string): string {
  if (typeof error === 'string') return error
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined
  return typeof message === 'string' ? message : otherwise
}
