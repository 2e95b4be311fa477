// GET /api/openapi.json: what the routes say of themselves, one file for each group.
import type { FastifyInstance } from 'fastify'
import type { Guard } from '../guard.ts'
import { ACCESS } from './access.ts'
import { AGENTS } from './agents.ts'
import { ALERTS } from './alerts.ts'
import { CALLS } from './calls.ts'
import { DETECTORS } from './detectors.ts'
import { openApiDocument } from './document.ts'
import { INCIDENTS } from './incidents.ts'
import { NOTIFICATIONS } from './notifications.ts'
import { OVERVIEW_OPERATIONS } from './overview.ts'
import { PROFILE_SCHEMAS, PROFILES } from './profiles.ts'
import { PROTOCOLS } from './protocols.ts'
import { RULES } from './rules.ts'
import type { Operations } from './schema.ts'
import { SLO } from './slo.ts'
import { SPANS } from './spans.ts'

/** What the routes of alerts, notifications, incidents, rules, objectives and detectors say of themselves. */
export const TELLING_OPERATIONS: Operations = { ...ALERTS, ...NOTIFICATIONS, ...INCIDENTS, ...RULES, ...SLO, ...DETECTORS }

/** What every route says of itself. A test compares it with the routes. */
export const OPERATIONS: Operations = { ...ACCESS, ...SPANS, ...OVERVIEW_OPERATIONS, ...PROFILES, ...AGENTS, ...CALLS, ...PROTOCOLS, ...TELLING_OPERATIONS }

/** Serves the document of all routes that are registered when it is asked for. */
export function registerOpenApi(app: FastifyInstance, { guard, version }: { guard: Pick<Guard, 'routes'>; version: string }): void {
  app.get('/api/openapi.json', { config: { role: 'open' } }, () => openApiDocument(guard.routes, { operations: OPERATIONS, schemas: PROFILE_SCHEMAS, version }))
}
