// What is kept of an objective in the state log, and how it is read back.
import { type Milliseconds, type Objective, type ObjectiveAlert, URGENCIES, type Urgency } from '@andon/model'
import { readAlert } from './alerts.ts'
import { DEFAULT_KINDS, type DefaultKind } from './defaults.ts'
import { type DetectionState, readDetection } from './detection.ts'
import type { ObjectiveTracker } from './tracker.ts'

export interface KeptObjective {
  /** In which wording it was counted. */
  readonly slo: string
  /** Up to when slices are part of `detection`. */
  readonly settledTo: Milliseconds
  readonly detection: DetectionState | undefined
  readonly alerts: Readonly<Partial<Record<Urgency, ObjectiveAlert>>>
  /** What an alert of it says when it is there no more. */
  readonly objective: Objective
  /** Of one that Andon made by itself. */
  readonly made: { readonly kind: DefaultKind; readonly service: string; readonly environment: string } | undefined
}

/** A row of the state log about an objective. */
export interface ObjectiveEntry {
  readonly kind: 'objective'
  readonly key: string
  readonly state: string
  readonly service: string
  readonly severity: string
  readonly actor: ''
  readonly doc: KeptObjective
}

export function keptEntry({ objective, key, settledTo, settled }: ObjectiveTracker, alerts: KeptObjective['alerts']): ObjectiveEntry {
  const { id, service, environment, file, indicator } = objective
  const kind: DefaultKind = indicator.kind === 'spans' && indicator.underMs !== undefined ? 'latency' : 'availability'
  const isFiring = URGENCIES.some((urgency) => alerts[urgency]?.state === 'firing')
  return {
    kind: 'objective',
    key: id,
    state: isFiring ? 'firing' : 'ok',
    service,
    severity: alerts.page?.state === 'firing' ? 'critical' : isFiring ? 'warning' : '',
    actor: '',
    doc: { slo: key, settledTo, detection: settled, alerts, objective, made: file === '' ? { kind, service, environment } : undefined },
  }
}

const fieldOf = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)

function readMade(value: unknown): KeptObjective['made'] {
  const [kind, service, environment] = [DEFAULT_KINDS.find((each) => each === fieldOf(value, 'kind')), fieldOf(value, 'service'), fieldOf(value, 'environment')]
  return kind === undefined || typeof service !== 'string' || typeof environment !== 'string' ? undefined : { kind, service, environment }
}

function isObjective(value: unknown): value is Objective {
  return typeof fieldOf(value, 'id') === 'string' && typeof fieldOf(value, 'target') === 'number' && typeof fieldOf(value, 'indicator') === 'object' && Array.isArray(fieldOf(value, 'windows'))
}

/** An entry as it was kept; undefined where it cannot be read. */
export function readKept(doc: unknown): KeptObjective | undefined {
  const [slo, settledTo, objective, alerts] = [fieldOf(doc, 'slo'), fieldOf(doc, 'settledTo'), fieldOf(doc, 'objective'), fieldOf(doc, 'alerts')]
  if (typeof slo !== 'string' || typeof settledTo !== 'number' || !isObjective(objective)) return undefined
  const read: Partial<Record<Urgency, ObjectiveAlert>> = {}
  for (const urgency of URGENCIES) {
    const alert = readAlert(fieldOf(alerts, urgency))
    if (alert !== undefined) read[urgency] = alert
  }
  return { slo, settledTo, objective, alerts: read, made: readMade(fieldOf(doc, 'made')), detection: readDetection(fieldOf(doc, 'detection')) }
}
