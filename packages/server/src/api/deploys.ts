import { AndonError, type Milliseconds, type ReleaseComparison, type ToldDeploy } from '@andon/model'
import type { FastifyInstance } from 'fastify'
import type { DeployBook } from '../detect/deploy-book.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Guard } from './guard.ts'
import { parseTime, type Query, text, timeRange, whole } from './parameters.ts'

export interface DeploysDeps {
  readonly book: Pick<DeployBook, 'list' | 'tell'>
  /** Before and after a release. */
  readonly compare: (id: string) => Promise<ReleaseComparison>
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
}

const BODY_LIMIT = 16_384
const TEXT_MAX = 200
const NOTE_MAX = 2000
const DAY: Milliseconds = 86_400_000
const KEYS: ReadonlySet<string> = new Set(['service', 'environment', 'version', 'at', 'note'])

function wordOf(body: ReadonlyMap<string, unknown>, name: string, max: number, isNeeded: boolean): string {
  const value = body.get(name) ?? ''
  if (typeof value !== 'string' || value.length > max || (isNeeded && value.trim() === '')) throw new AndonError('bad_body', `"${name}" must be a text of ${isNeeded ? '1' : '0'} to ${max} characters.`)
  return value.trim()
}

/** @throws AndonError bad_body naming the key that is wrong */
export function readDeploy(given: unknown, now: Milliseconds): ToldDeploy {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw new AndonError('bad_body', 'The body must be {"service": "…", "version": "…"}, with environment, at and note where they are known.')
  const body = new Map<string, unknown>(Object.entries(given))
  for (const key of body.keys()) if (!KEYS.has(key)) throw new AndonError('bad_body', `"${key.slice(0, 100)}" is not known; there are ${[...KEYS].join(', ')}.`)
  const at = body.get('at')
  const time = typeof at === 'number' ? at : typeof at === 'string' ? parseTime('at', at, now) : at === undefined ? now : Number.NaN
  if (!Number.isFinite(time) || time > now + 10 * 60_000 || time < now - 400 * DAY) throw new AndonError('bad_body', '"at" must be a time of the last 400 days: milliseconds since 1970, ISO 8601, now or now-15m.')
  return {
    service: wordOf(body, 'service', TEXT_MAX, true),
    version: wordOf(body, 'version', TEXT_MAX, true),
    environment: wordOf(body, 'environment', TEXT_MAX, false),
    note: wordOf(body, 'note', NOTE_MAX, false),
    at: Math.floor(time),
  }
}

/** POST /api/deploys marks a release, GET lists them, GET /api/deploys/:id says what one has changed. */
export function registerDeploysApi(app: FastifyInstance, { book, compare, guard, clock }: DeploysDeps): void {
  app.post('/api/deploys', { config: { role: 'editor' }, bodyLimit: BODY_LIMIT }, (request) => book.tell(readDeploy(request.body, clock.now()), guard.actor(request).name))
  app.get<{ Querystring: Query }>('/api/deploys', { config: { role: 'viewer', live: true } }, ({ query }) => {
    const { start, end } = timeRange({ from: 'now-7d', ...query }, clock.now())
    const limit = whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 })
    // What is marked this very moment belongs to it.
    return { from: start, to: end, deploys: book.list({ service: text(query, 'service'), start, end: end + 1, limit }) }
  })
  app.get<{ Params: { id: string } }>('/api/deploys/:id', { config: { role: 'viewer', live: true } }, async ({ params }) => await compare(params.id))
}
