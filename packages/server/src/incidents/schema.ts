// The section `incidents` of andon.yaml.
import type { EscalationPolicy, Milliseconds } from '@andon/model'
import { type Origin, Reading } from '../runtime/reading.ts'
import { readPolicy } from './escalation-schema.ts'
import { LENGTH, readSchedule } from './on-call-schema.ts'
import type { Schedule } from './on-call.ts'

/** How many pages a rule may make before its next ones are tickets. */
export interface AlertBudget {
  readonly pages: number
  readonly perMs: Milliseconds
  /** Rules that it does not hold for. */
  readonly exempt: readonly string[]
}

export interface IncidentOptions {
  /** An alert joins an open incident of its service, or of a neighbour, within so long after that last began to fire. */
  readonly windowMs: Milliseconds
  /** An alert that fires again within so long after its incident was resolved opens that one again. */
  readonly cooldownMs: Milliseconds
  /** Severities of alerts that open an incident. */
  readonly open: readonly string[]
  /** Severities of alerts that join one that is open. */
  readonly join: readonly string[]
  /** Whether an incident is resolved when all its alerts are. */
  readonly resolve: 'when_alerts_resolve' | 'by_hand'
  /** A folder of own runbooks; undefined for none. */
  readonly runbooksDir: string | undefined
  readonly objectives: { readonly detectMs: Milliseconds; readonly acknowledgeMs: Milliseconds | null; readonly resolveMs: Milliseconds }
  /** Undefined where it is off. */
  readonly alertBudget: AlertBudget | undefined
  readonly escalation: readonly EscalationPolicy[]
  readonly schedules: readonly Schedule[]
}


const INCIDENTS: Origin = { hint: 'docs/reference/incidents.md shows every option of incidents.' }
const KEYS = ['window', 'cooldown', 'open', 'join', 'resolve', 'runbooks_dir', 'objectives', 'alert_budget', 'escalation', 'on_call'] as const
const MINUTE: Milliseconds = 60_000
const WEEK: Milliseconds = 7 * 86_400_000
const LIST_MAX = 1000

function readBudget(reading: Reading): AlertBudget | undefined {
  // YAML reads a bare `off` as false in some of its versions.
  if (reading.value === 'off' || reading.value === false) return undefined
  const given = reading.orEmpty().fields(['pages', 'per', 'exempt'])
  return { perMs: given.per.duration({ ...LENGTH, least: 3_600_000 }, WEEK), pages: given.pages.whole({ least: 1, most: 10_000 }, 2), exempt: given.exempt.texts() }
}

/**
 * Reads the section `incidents`.
 *
 * @param value - as the YAML gives it; undefined where there is none
 * @param path - of the section, for messages
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readIncidentOptions(value: unknown, path = 'incidents'): IncidentOptions {
  const given = new Reading(value ?? {}, path, INCIDENTS).fields(KEYS)
  const objectives = given.objectives.orEmpty().fields(['detect', 'acknowledge', 'resolve'])
  const schedules = given.on_call.list(LIST_MAX).map(readSchedule)
  given.on_call.refuseTwice(schedules.map(({ name }) => name))
  const names = new Set(schedules.map(({ name }) => name))
  const escalation = given.escalation.list(LIST_MAX).map((one) => readPolicy(one, names))
  given.escalation.refuseTwice(escalation.map(({ name }) => name))
  const open = given.open.texts(['critical', 'page'])
  return {
    windowMs: given.window.duration(LENGTH, 15 * MINUTE),
    cooldownMs: given.cooldown.duration(LENGTH, 30 * MINUTE),
    open,
    join: [...new Set([...open, ...given.join.texts(['error', 'warning', 'ticket', ''], 0)])],
    resolve: given.resolve.word(['when_alerts_resolve', 'by_hand'], 'when_alerts_resolve'),
    runbooksDir: given.runbooks_dir.text(undefined),
    objectives: {
      detectMs: objectives.detect.duration(LENGTH, 5 * MINUTE),
      acknowledgeMs: objectives.acknowledge.or(null, (one) => one.duration(LENGTH)),
      resolveMs: objectives.resolve.duration(LENGTH, 30 * MINUTE),
    },
    alertBudget: readBudget(given.alert_budget),
    escalation,
    schedules,
  }
}
