// Escalation policies as andon.yaml has them.
import type { Milliseconds } from '@andon/model'
import { badKey, Section } from './section.ts'

/** One step of a policy. */
export type EscalationStep =
  | { readonly kind: 'wait'; readonly ms: Milliseconds }
  | { readonly kind: 'notify'; readonly receiver: string }
  /** Whoever is on call then. */
  | { readonly kind: 'on-call'; readonly schedule: string }

export interface EscalationPolicy {
  readonly name: string
  /** Each list that is not empty must hold what the incident has. */
  readonly match: { readonly severity: readonly string[]; readonly service: readonly string[]; readonly environment: readonly string[] }
  readonly steps: readonly EscalationStep[]
  /** How often the steps are gone through before it gives up. */
  readonly rounds: number
  /** After so long without an update by those who acknowledged it begins anew; undefined for never. */
  readonly staleMs: Milliseconds | undefined
}

const STEPS_MAX = 50
const STEP = 'one of {wait: 5m}, {notify: RECEIVER} and {notify_on_call: SCHEDULE}'

function readStep(value: unknown, path: string, schedules: ReadonlySet<string>): EscalationStep {
  const section = new Section(value, path, ['wait', 'notify', 'notify_on_call'])
  const [key, ...more] = ['wait', 'notify', 'notify_on_call'].filter((one) => section.has(one))
  if (key === undefined || more.length > 0) throw badKey(path, STEP)
  if (key === 'wait') {
    const ms = section.duration('wait')
    if (ms < 1000) throw badKey(section.at('wait'), 'a second or longer')
    return { kind: 'wait', ms }
  }
  if (key === 'notify') return { kind: 'notify', receiver: section.text('notify') }
  const schedule = section.text('notify_on_call')
  if (!schedules.has(schedule)) throw badKey(section.at('notify_on_call'), `the name of a schedule of incidents.on_call; there is no "${schedule}"`)
  return { kind: 'on-call', schedule }
}

/**
 * Reads one policy.
 *
 * @param schedules - names of those there are
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readPolicy(value: unknown, path: string, schedules: ReadonlySet<string>): EscalationPolicy {
  const section = new Section(value, path, ['name', 'match', 'steps', 'repeat', 'reescalate_after'])
  const match = new Section(section.raw('match'), section.at('match'), ['severity', 'service', 'environment'])
  const steps = section.list('steps', (one, at) => readStep(one, at, schedules))
  if (steps.length > STEPS_MAX || !steps.some(({ kind }) => kind !== 'wait')) throw badKey(section.at('steps'), `a list of at most ${STEPS_MAX} steps, of which one notifies`)
  const rounds = section.whole('repeat', 0, 100, 0) + 1
  // Without any wait all rounds would be told at once.
  if (rounds > 1 && !steps.some(({ kind }) => kind === 'wait')) throw badKey(section.at('steps'), 'a list with a wait, because it is repeated')
  return {
    name: section.text('name'),
    match: { severity: match.texts('severity', []), service: match.texts('service', []), environment: match.texts('environment', []) },
    steps,
    rounds,
    staleMs: section.has('reescalate_after') ? Math.max(60_000, section.duration('reescalate_after')) : undefined,
  }
}
