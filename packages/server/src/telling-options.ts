// The sections of andon.yaml that say who is told of what: routes and receivers stand in one file of Alertmanager, or in two sections.
import { type AlertingConfig, readAlerting } from './alerts/schema.ts'
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
  const channels = readNotify(channelsOf(alerting, notify), { env })
  return { notify: channels, alerting: readAlerting(routesOf(alerting, channels.receivers.map(({ name }) => name))) }
}

export const defaultTold: ToldOptions = { notify: defaultNotify, alerting: readAlerting(undefined) }
