// The section `incidents` of andon.yaml.
import type { Milliseconds } from '@andon/model'
import { readPolicy, type EscalationPolicy } from './escalation-schema.ts'
import { readSchedule } from './on-call-schema.ts'
import type { Schedule } from './on-call.ts'
import { badKey, refuseTwice, Section } from './section.ts'

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

const KEYS = ['window', 'cooldown', 'open', 'join', 'resolve', 'runbooks_dir', 'objectives', 'alert_budget', 'escalation', 'on_call']
const MINUTE: Milliseconds = 60_000
const WEEK: Milliseconds = 7 * 86_400_000

function readBudget(section: Section): AlertBudget | undefined {
  const value = section.raw('alert_budget')
  // YAML reads a bare `off` as false in some of its versions.
  if (value === 'off' || value === false) return undefined
  const budget = new Section(value, section.at('alert_budget'), ['pages', 'per', 'exempt'])
  const perMs = budget.duration('per', WEEK)
  if (perMs < 3_600_000) throw badKey(budget.at('per'), 'an hour or longer')
  return { pages: budget.whole('pages', 1, 10_000, 2), perMs, exempt: budget.texts('exempt', []) }
}

/**
 * Reads the section `incidents`.
 *
 * @param value - as the YAML gives it; undefined where there is none
 * @param path - of the section, for messages
 * @throws AndonError bad_config, naming the key that is wrong
 */
export function readIncidentOptions(value: unknown, path = 'incidents'): IncidentOptions {
  const section = new Section(value, path, KEYS)
  const objectives = new Section(section.raw('objectives'), section.at('objectives'), ['detect', 'acknowledge', 'resolve'])
  const schedules = section.list('on_call', readSchedule)
  refuseTwice(schedules.map(({ name }) => name), section.at('on_call'))
  const names = new Set(schedules.map(({ name }) => name))
  const escalation = section.list('escalation', (one, at) => readPolicy(one, at, names))
  refuseTwice(escalation.map(({ name }) => name), section.at('escalation'))
  const open = section.texts('open', ['critical', 'page'])
  return {
    windowMs: section.duration('window', 15 * MINUTE),
    cooldownMs: section.duration('cooldown', 30 * MINUTE),
    open,
    join: [...new Set([...open, ...section.texts('join', ['error', 'warning', 'ticket', ''], 0)])],
    resolve: section.word('resolve', ['when_alerts_resolve', 'by_hand'], 'when_alerts_resolve'),
    runbooksDir: section.has('runbooks_dir') ? section.text('runbooks_dir') : undefined,
    objectives: {
      detectMs: objectives.duration('detect', 5 * MINUTE),
      acknowledgeMs: objectives.has('acknowledge') ? objectives.duration('acknowledge') : null,
      resolveMs: objectives.duration('resolve', 30 * MINUTE),
    },
    alertBudget: readBudget(section),
    escalation,
    schedules,
  }
}
