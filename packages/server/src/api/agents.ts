import { AndonError, type ControlAnswer, type Milliseconds, readAgentIdentity } from '@andon/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ControlBook, ControlTarget } from '../control/control-book.ts'
import type { KnownAgents } from '../control/known-agents.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Guard } from './guard.ts'
import { type Query, whole } from './parameters.ts'

/** A kept event: when it was written, and what it says. */
export interface StoredEvent {
  readonly written: Milliseconds
  readonly doc: unknown
}

export interface AgentsDeps {
  readonly control: ControlBook
  readonly agents: KnownAgents
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
  /** Broken thresholds of an instance, the newest first. */
  readonly breaches: (instance: string, limit: number) => Promise<readonly StoredEvent[]>
  /** What an instance did to keep its budget, the newest first. */
  readonly adaptations: (instance: string, limit: number) => Promise<readonly StoredEvent[]>
}

/** Of a control state as it is sent. */
const BODY_LIMIT = 65_536

interface OfInstance {
  readonly Params: { readonly instance: string }
}

/**
 * Notes who sends a request, by its header `andon-instance`.
 *
 * @returns the revision that this agent is to have, for the header `andon-control` of the answer; undefined for other senders
 */
export function noteAgent(request: FastifyRequest, { agents, control, guard }: Pick<AgentsDeps, 'agents' | 'control' | 'guard'>): number | undefined {
  const header = request.headers['andon-instance']
  const identity = typeof header === 'string' ? readAgentIdentity(header) : undefined
  if (identity === undefined || !agents.seen(identity, guard.actor(request).name)) return undefined
  return control.revision(identity.service, identity.instance)
}

/**
 * The agents that there are, what is wanted of them, and what they reported: GET /api/agents, GET, PUT and DELETE
 * /api/agents/:instance/control and /api/service/:name/control, GET /api/agents/:instance/breaches and …/adaptations.
 */
export function registerAgents(app: FastifyInstance, deps: AgentsDeps): void {
  const { agents, control, guard, clock } = deps
  app.get('/api/agents', { config: { role: 'viewer', live: true } }, () => ({
    now: clock.now(),
    agents: agents.list().map((agent) => ({ ...agent, wantedRevision: control.revision(agent.service, agent.instance) })),
  }))
  app.get<OfInstance>('/api/agents/:instance/control', { config: { role: 'agent' } }, (request): ControlAnswer => {
    const { instance } = request.params
    const actor = guard.actor(request)
    // An agent's token may read what is wanted of that agent, and nothing else.
    if (actor.role === 'ingest' && !agents.isOwnedBy(instance, actor.name)) throw new AndonError('forbidden', `The token "${actor.name}" has not sent anything for this instance.`)
    return control.answer(agents.find(instance)?.service, instance)
  })
  app.get<{ Params: { name: string } }>('/api/service/:name/control', { config: { role: 'viewer' } }, (request) => {
    const entry = control.entry({ service: request.params.name })
    if (entry === undefined) throw nothingSet()
    return entry
  })
  const writable = (path: string, targetOf: (request: FastifyRequest) => ControlTarget): void => {
    app.put(path, { config: { role: 'editor' }, bodyLimit: BODY_LIMIT }, (request) => control.set(targetOf(request), request.body, guard.actor(request).name))
    app.delete(path, { config: { role: 'editor' } }, async (request, reply) => {
      if (!(await control.remove(targetOf(request), guard.actor(request).name))) throw nothingSet()
      return reply.code(204).send()
    })
  }
  writable('/api/agents/:instance/control', (request) => {
    const instance = parameter(request, 'instance')
    if (agents.find(instance) === undefined && control.entry({ instance }) === undefined) {
      throw new AndonError('not_found', `No agent of the instance "${instance.slice(0, 100)}" was heard.`, { hint: 'GET /api/agents lists those that were.' })
    }
    return { instance }
  })
  writable('/api/service/:name/control', (request) => ({ service: parameter(request, 'name') }))
  for (const name of ['breaches', 'adaptations'] as const) {
    app.get<OfInstance & { Querystring: Query }>(`/api/agents/:instance/${name}`, { config: { role: 'viewer' } }, async ({ params, query }) => {
      const events = await deps[name](params.instance, whole(query, 'limit', { min: 1, max: 1000, otherwise: 100 }))
      return { [name]: events.map(({ written, doc }) => (typeof doc === 'object' ? { written, ...doc } : { written })) }
    })
  }
}

function nothingSet(): AndonError {
  return new AndonError('not_found', 'Nothing is set here.', { hint: 'PUT sets a control state.' })
}

function parameter(request: FastifyRequest, name: string): string {
  const value: unknown = typeof request.params === 'object' && request.params !== null ? Reflect.get(request.params, name) : undefined
  return typeof value === 'string' ? value : ''
}
