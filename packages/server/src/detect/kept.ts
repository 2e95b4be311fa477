// What detectors keep in the state log, and what is believed of it when it is read back.
import { type Alert, DETECTOR_STATES, type DetectorState, type Milliseconds } from '@andon/model'
import type { SeriesDoc } from './series.ts'
import { SIGNALS } from './signals.ts'

/** How far all series have been read. */
export interface ProgressDoc {
  readonly until: Milliseconds
  readonly slowLimits: readonly { readonly service: string; readonly environment: string; readonly limit: number; readonly at: Milliseconds }[]
}

/** The alert of a service that lasts. */
export interface OpenAlertDoc {
  readonly service: string
  readonly environment: string
  readonly action: 'ticket' | 'page'
  readonly alert: Alert
}

const fieldOf = (doc: unknown, name: string): unknown => (typeof doc === 'object' && doc !== null ? Reflect.get(doc, name) : undefined)

export function isProgressDoc(doc: unknown): doc is ProgressDoc {
  return typeof fieldOf(doc, 'until') === 'number' && Array.isArray(fieldOf(doc, 'slowLimits'))
}

export function isDetectorState(state: string): state is DetectorState {
  return DETECTOR_STATES.some((each) => each === state)
}

export function isSeriesDoc(doc: unknown): doc is SeriesDoc {
  const id = fieldOf(doc, 'id')
  return typeof fieldOf(doc, 'numbers') === 'string' && Array.isArray(fieldOf(doc, 'episodes')) && typeof fieldOf(id, 'service') === 'string' && SIGNALS.some((each) => each === fieldOf(id, 'signal'))
}

export function isOpenAlertDoc(doc: unknown): doc is OpenAlertDoc {
  const action = fieldOf(doc, 'action')
  return (action === 'ticket' || action === 'page') && typeof fieldOf(fieldOf(doc, 'alert'), 'startsAt') === 'number'
}
