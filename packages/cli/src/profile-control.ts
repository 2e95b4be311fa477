// Asks an agent for a profile through its desired state, and puts back what was wanted of it before.
import { CONTROL_MS_MIN, type ControlAnswer, type ControlSettings, type ProfileKind } from '@andon/model'
import { ask, refusalOf, request, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'

/** Samples of the CPU a second. */
const RATE = 100

export interface Wish {
  readonly service: string
  readonly instance: string
  readonly kind: ProfileKind
  /** How long the agent profiles if nobody ends it. */
  readonly forMs: number
}

/** A wish that was set. */
export interface SetWish {
  /** What the agent has applied when it profiles. */
  readonly revision: number
  /** The server's time of it. */
  readonly at: number
  /** Puts back what was wanted before; leaves alone what somebody else has set meanwhile. */
  end(): Promise<void>
}

type Refusable = { readonly error?: unknown }

async function refusable<T>(target: string, flags: ServerFlags, options: Parameters<typeof ask>[2]): Promise<T> {
  const answer = await ask<T & Refusable>(target, flags, options)
  if (answer.error !== undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The server refused it.'))
  return answer
}

/** The state that the instance has of its own; what it has as one of its service is not. */
async function ownState(flags: ServerFlags, { service }: Wish, answer: ControlAnswer, signal: AbortSignal): Promise<ControlSettings | undefined> {
  const { revision, sampling, profile, thresholds, expires } = answer
  if (revision === 0 || expires === null) return undefined
  const shared = await ask<{ readonly revision?: number }>(`${flags.url}/api/service/${encodeURIComponent(service)}/control`, flags, { signal })
  return shared.revision === revision ? undefined : { sampling, profile, thresholds, expires }
}

/**
 * Sets the wish beside all else that is wanted of the instance. Nothing of it is left when the command dies: it ends by itself.
 *
 * @throws CommandError problem where the server refuses, such as without the role of an editor
 */
export async function setWish(flags: ServerFlags, wish: Wish, signal: AbortSignal): Promise<SetWish> {
  const { instance, kind, forMs } = wish
  const path = `${flags.url}/api/agents/${encodeURIComponent(instance)}/control`
  const before = await refusable<ControlAnswer>(path, flags, { signal })
  const own = await ownState(flags, wish, before, signal)
  const until = before.now + forMs
  const settings: ControlSettings = { sampling: before.sampling, thresholds: before.thresholds, profile: { until, rate: RATE, kinds: [kind] }, expires: Math.max(own?.expires ?? 0, until + CONTROL_MS_MIN) }
  // Not by the command's signal: what has been set must be known, to be taken back.
  const { revision } = await refusable<{ readonly revision: number }>(path, flags, { method: 'PUT', body: settings })
  return { revision, at: before.now, end: () => putBack(path, flags, revision, own) }
}

/** Not ended by the command's signal: it runs because of it. */
async function putBack(path: string, flags: ServerFlags, revision: number, own: ControlSettings | undefined): Promise<void> {
  const signal = AbortSignal.timeout(5000)
  const now = await refusable<ControlAnswer>(path, flags, { signal })
  if (now.revision !== revision) return
  if (own === undefined || own.expires < now.now + CONTROL_MS_MIN) {
    await request(path, flags, { method: 'DELETE', signal })
    return
  }
  const profile = own.profile !== null && own.profile.until > now.now ? own.profile : null
  await refusable(path, flags, { method: 'PUT', body: { ...own, profile }, signal })
}
