// The sections of andon.yaml that say who is told of what: routes and receivers stand in one file of Alertmanager, or in two sections.
import { AndonError } from '@andon/model'
import { type AlertingConfig, readAlerting } from './alerts/schema.ts'
import type { IncidentOptions } from './incidents/schema.ts'
import { defaultNotify, type NotifyOptions, readNotify } from './notify/schema.ts'

export interface ToldOptions {
  readonly alerting: AlertingConfig
  readonly notify: NotifyOptions
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The channels of an Alertmanager's file that routes are read from are its too, unless another file is named. */
function channelsOf(alerting: unknown, notify: unknown): unknown {
  const file = isFields(alerting) ? alerting['config_file'] : undefined
  if (typeof file !== 'string') return notify
  if (notify === undefined || notify === null) return { alertmanager_file: file }
  return isFields(notify) && notify['alertmanager_file'] === undefined ? { ...notify, alertmanager_file: file } : notify
}

/** Without receivers of its own, routing knows those that have channels. */
function routesOf(alerting: unknown, receivers: readonly string[]): unknown {
  const isOpen = alerting === undefined || alerting === null || (isFields(alerting) && alerting['config_file'] === undefined && alerting['receivers'] === undefined)
  if (!isOpen || receivers.length === 0) return alerting
  return { ...(isFields(alerting) && alerting), receivers: receivers.map((name) => ({ name })) }
}

/**
 * Reads the sections `alerting` and `notify` together.
 *
 * @param alerting - as the YAML gives it; undefined where there is none
 * @throws AndonError bad_config naming the key that is wrong
 */
export function readTold(alerting: unknown, notify: unknown, env: Readonly<Record<string, string | undefined>>): ToldOptions {
  const hasOwn = isFields(alerting) && alerting['config_file'] === undefined && Array.isArray(alerting['receivers'])
  const channels = readNotify(channelsOf(alerting, notify), { env, ...(hasOwn && { alerting }) })
  return { notify: channels, alerting: readAlerting(routesOf(alerting, channels.receivers.map(({ name }) => name))) }
}

/** Whom escalations and people on call are told by, each with where it stands. */
function toldOf({ escalation, schedules }: Pick<IncidentOptions, 'escalation' | 'schedules'>): (readonly [path: string, receiver: string])[] {
  const steps = escalation.flatMap(({ name, steps: all }) => all.flatMap((step) => (step.kind === 'notify' ? [[`incidents.escalation: "${name}"`, step.receiver] as const] : [])))
  const people = schedules.flatMap(({ name, people: all, overrides }) => [...all, ...overrides.map(({ person }) => person)].map(({ receiver }) => [`incidents.on_call: "${name}"`, receiver] as const))
  return [...steps, ...people]
}

/**
 * Checks that those exist whom escalations and people on call are told by. Where there is no receiver at all nobody is to be told.
 *
 * @throws AndonError bad_config naming the section and the receiver that is not there
 */
export function checkReceivers(incidents: Pick<IncidentOptions, 'escalation' | 'schedules'>, { receivers }: Pick<NotifyOptions, 'receivers'>): void {
  const names = receivers.map(({ name }) => name)
  if (names.length === 0) return
  const wrong = toldOf(incidents).find(([, receiver]) => !names.includes(receiver))
  if (wrong !== undefined) throw new AndonError('bad_config', `${wrong[0]} names the receiver "${wrong[1]}", which has no channels`, { hint: `Receivers are ${names.join(', ')}.` })
}

export const defaultTold: ToldOptions = { notify: defaultNotify, alerting: readAlerting(undefined) }
