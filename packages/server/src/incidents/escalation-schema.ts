// Escalation policies as andon.yaml has them.
import type { EscalationPolicy, EscalationStep } from '@andon/model'
import type { Reading } from '../runtime/reading.ts'
import { LENGTH } from './on-call-schema.ts'

const STEPS_MAX = 50
const KINDS = ['wait', 'notify', 'notify_on_call'] as const

function readStep(reading: Reading, schedules: ReadonlySet<string>): EscalationStep {
  const given = reading.fields(KINDS)
  const [kind, ...more] = KINDS.filter((one) => !given[one].isAbsent)
  if (kind === undefined || more.length > 0) return reading.refuse('must be one of {wait: 5m}, {notify: RECEIVER} and {notify_on_call: SCHEDULE}')
  if (kind === 'wait') return { kind, ms: given.wait.duration({ ...LENGTH, least: 1000 }) }
  if (kind === 'notify') return { kind, receiver: given.notify.text() }
  const schedule = given.notify_on_call.text()
  return schedules.has(schedule) ? { kind: 'on-call', schedule } : given.notify_on_call.refuse(`must be the name of a schedule of incidents.on_call; there is no "${schedule}"`)
}

/**
 * Reads one policy.
 *
 * @param schedules - names of those there are
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readPolicy(reading: Reading, schedules: ReadonlySet<string>): EscalationPolicy {
  const given = reading.fields(['name', 'match', 'steps', 'repeat', 'reescalate_after'])
  const match = given.match.orEmpty().fields(['severity', 'service', 'environment'])
  const steps = given.steps.list().map((one) => readStep(one, schedules))
  if (steps.length > STEPS_MAX || !steps.some(({ kind }) => kind !== 'wait')) given.steps.refuse(`must be a list of at most ${STEPS_MAX} steps, of which one notifies`)
  const rounds = given.repeat.whole({ least: 0, most: 100 }, 0) + 1
  // Without any wait all rounds would be told at once.
  if (rounds > 1 && !steps.some(({ kind }) => kind === 'wait')) given.steps.refuse('must be a list with a wait, because it is repeated')
  return {
    name: given.name.text(),
    match: { severity: match.severity.texts(), service: match.service.texts(), environment: match.environment.texts() },
    steps,
    rounds,
    staleMs: given.reescalate_after.or(null, (one) => Math.max(60_000, one.duration(LENGTH))),
  }
}
