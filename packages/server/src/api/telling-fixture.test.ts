// The routes of the telling half over nothing: only that they are there matters to who lists routes. Their answers have tests beside them.
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import type { Guard } from './guard.ts'
import { registerTelling, type TellingApiDeps } from './telling.ts'

export function tellingRoutes(app: FastifyInstance, guard: Pick<Guard, 'actor'>, clock: Pick<Clock, 'now'>): void {
  const nothing: Omit<TellingApiDeps, 'guard' | 'clock' | 'log'> = JSON.parse('{"version":"0","startedAt":0,"alerts":{},"notifier":{"outbox":{}},"incidents":{},"runbooks":{},"ownRules":{},"backtests":{},"objectives":{},"detectors":{},"deploys":{"book":{}}}')
  registerTelling(app, { ...nothing, guard, clock, log: silentLog })
}
