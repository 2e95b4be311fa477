import { ask, refusalOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'

interface TestAnswer {
  readonly delivered?: boolean
  readonly state?: string
  readonly detail?: string
  readonly tookMs?: number
  readonly error?: unknown
}

/** What an outcome means for real messages. */
const MEANING: Readonly<Record<string, string>> = {
  retry: 'A message would be tried again.',
  refused: 'A message would be given up.',
  disabled: 'The channel would be disabled until it is mended.',
}

/**
 * Sends a test message by a channel of a running server.
 *
 * @returns what to say when it was taken
 * @throws CommandError unreachable; problem when there is no such channel, or it did not take the message
 */
export async function testChannel(channel: string, flags: ServerFlags): Promise<string> {
  const answer = await ask<TestAnswer>(`${flags.url}/api/notifications/channels/${encodeURIComponent(channel)}/test`, flags, { method: 'POST' })
  if (answer.error !== undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The test failed.'))
  const took = `${((answer.tookMs ?? 0) / 1000).toFixed(2)} s`
  if (answer.delivered === true) return `${channel}: taken in ${took}${answer.detail === undefined || answer.detail === '' ? '' : ` (${answer.detail})`}`
  throw new CommandError(EXIT.problem, `${channel}: not taken after ${took}: ${answer.detail ?? ''}\n${MEANING[answer.state ?? ''] ?? ''}`.trim())
}
