// What routes of incidents are sent: each wrong field is named.
import { AndonError, type AlertVerdict, INCIDENT_STATES, type IncidentState } from '@andon/model'
import { isVerdict, type NewIncident, type StateChange } from '../incidents/states.ts'

const TEXT_MAX = 10_000
const NAME_MAX = 200
const RULES_MAX = 100

/** The fields of a body of JSON. */
class Fields {
  readonly #values: ReadonlyMap<string, unknown>

  constructor(body: unknown, keys: readonly string[]) {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw wrong(`The body must be an object with ${keys.join(', ')}.`)
    this.#values = new Map<string, unknown>(Object.entries(body))
    for (const key of this.#values.keys()) if (!keys.includes(key)) throw wrong(`"${key.slice(0, 60)}" is none of ${keys.join(', ')}.`)
  }

  raw(key: string): unknown {
    return this.#values.get(key) ?? undefined
  }

  /** @param otherwise - undefined where it must be there */
  text(key: string, max: number, otherwise?: string): string {
    const value = this.raw(key) ?? otherwise
    if (typeof value !== 'string' || (otherwise === undefined && value.trim() === '') || value.length > max) throw wrong(`${key} must be a text of ${otherwise === undefined ? '1' : '0'} to ${max} characters.`)
    return value
  }

  whole(key: string, max: number): number | undefined {
    const value = this.raw(key)
    if (value === undefined) return undefined
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) throw wrong(`${key} must be a whole number from 0 to ${max}.`)
    return value
  }

  truth(key: string, otherwise: boolean): boolean {
    const value = this.raw(key) ?? otherwise
    if (typeof value !== 'boolean') throw wrong(`${key} must be true or false.`)
    return value
  }
}

function wrong(message: string): AndonError {
  return new AndonError('bad_body', message, { hint: 'docs/reference/incidents.md shows what each route takes.' })
}

/** Of POST /api/incidents. @throws AndonError bad_body */
export function readNewIncident(body: unknown): NewIncident {
  const fields = new Fields(body, ['title', 'service', 'environment', 'severity', 'onsetAt'])
  return {
    title: fields.text('title', NAME_MAX),
    service: fields.text('service', NAME_MAX, ''),
    environment: fields.text('environment', NAME_MAX, ''),
    severity: fields.text('severity', 40, 'critical'),
    onsetAt: fields.whole('onsetAt', 8.64e15),
  }
}

/** What a change of state brings along. */
export interface StateBody extends StateChange {
  /** By rule; empty for none. */
  readonly verdicts: Readonly<Record<string, AlertVerdict>>
}

function isState(value: unknown): value is IncidentState {
  return INCIDENT_STATES.some((one) => one === value)
}

/** Of POST …/state. @throws AndonError bad_body */
export function readStateChange(body: unknown): StateBody {
  const fields = new Fields(body, ['state', 'revision', 'note', 'verdicts'])
  const state = fields.raw('state')
  if (!isState(state)) throw wrong(`state must be one of ${INCIDENT_STATES.join(', ')}.`)
  return { state, revision: fields.whole('revision', Number.MAX_SAFE_INTEGER), note: fields.text('note', TEXT_MAX, ''), verdicts: fields.raw('verdicts') === undefined ? {} : readVerdictsOf(fields.raw('verdicts')) }
}

function readVerdictsOf(value: unknown): Readonly<Record<string, AlertVerdict>> {
  const entries: [string, unknown][] = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  if (entries.length === 0 || entries.length > RULES_MAX) throw wrong(`verdicts must hold 1 to ${RULES_MAX} rules, each with real, noise or expected.`)
  return Object.fromEntries(
    entries.map(([rule, verdict]) => {
      if (!isVerdict(verdict)) throw wrong(`The verdict of "${rule.slice(0, 100)}" must be real, noise or expected.`)
      return [rule, verdict]
    }),
  )
}

/** Of POST …/quality. @throws AndonError bad_body */
export function readVerdicts(body: unknown): Readonly<Record<string, AlertVerdict>> {
  return readVerdictsOf(new Fields(body, ['verdicts']).raw('verdicts'))
}

/** Of POST …/comments. @throws AndonError bad_body */
export function readComment(body: unknown): { readonly text: string; readonly action: boolean; readonly owner: string } {
  const fields = new Fields(body, ['text', 'action', 'owner'])
  return { text: fields.text('text', TEXT_MAX), action: fields.truth('action', false), owner: fields.text('owner', NAME_MAX, '') }
}

/** Of POST …/steps. @throws AndonError bad_body */
export function readStep(body: unknown): { readonly runbook: string; readonly step: number; readonly done: boolean } {
  const fields = new Fields(body, ['runbook', 'step', 'done'])
  const step = fields.whole('step', 1000)
  if (step === undefined) throw wrong('step must be a whole number: which action of the runbook, from 0.')
  return { runbook: fields.text('runbook', NAME_MAX), step, done: fields.truth('done', true) }
}
