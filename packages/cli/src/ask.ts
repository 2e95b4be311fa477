// One request to a running server.
import { CommandError, EXIT } from './exit.ts'

export interface ServerFlags {
  readonly url: string
  /** A token, where the server asks for one. */
  readonly token?: string | undefined
}

/** How long a server may take for one answer, where nothing else is said. */
const ANSWER_MS = 60_000

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  /** How long the server may take; a minute where nobody said. */
  readonly withinMs?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * What the server answers, also where it refuses.
 *
 * @throws CommandError unreachable where nobody answers in time; the signal's reason when it was aborted
 */
export async function request(target: string, flags: ServerFlags, { method = 'GET', body, withinMs = ANSWER_MS, signal }: AskOptions = {}): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  const late = AbortSignal.timeout(withinMs)
  try {
    const response = await fetch(target, {
      method,
      headers: { ...(flags.token !== undefined && { authorization: `Bearer ${flags.token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? late : AbortSignal.any([signal, late]),
    })
    return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) }
  } catch (error) {
    signal?.throwIfAborted()
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new CommandError(EXIT.unreachable, `Andon does not answer at ${flags.url}: ${cause}\nStart it with: andon serve`)
  }
}

/**
 * The JSON that the server answers, also where it refuses; its shape is the route's contract, and not checked.
 *
 * @throws CommandError unreachable where nobody answers, or what answers is not Andon
 */
export async function ask<T>(target: string, flags: ServerFlags, options: AskOptions = {}): Promise<T> {
  const { status, bytes } = await request(target, flags, options)
  try {
    const answer: T = JSON.parse(new TextDecoder().decode(bytes))
    return answer
  } catch {
    throw new CommandError(EXIT.unreachable, `What answers at ${flags.url} is not Andon (status ${status}).`)
  }
}

/** What a refusal says: Prometheus' text or our own envelope's message. */
export function messageOf(error: unknown, otherwise: string): string {
  if (typeof error === 'string') return error
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : undefined
  return typeof message === 'string' ? message : otherwise
}

/** The same with the hint of our own envelope, on a line of its own. */
export function refusalOf(error: unknown, otherwise: string): string {
  const hint: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'hint') : undefined
  return [messageOf(error, otherwise), ...(typeof hint === 'string' && hint !== '' ? [hint] : [])].join('\n')
}
