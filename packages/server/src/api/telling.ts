// The routes of the telling half: alerts, notifications, incidents, rules of one's own, objectives, detectors and deploys.
import type { FastifyInstance } from 'fastify'
import type { AlertManager } from '../alerts/manager.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OwnRules } from '../rules/own-rules.ts'
import type { Backtests } from '../rules/backtests.ts'
import type { Milliseconds } from '@andon/model'
import { registerAlertmanager } from './alertmanager.ts'
import { registerAlerts } from './alerts.ts'
import { type DeploysDeps, registerDeploysApi } from './deploys.ts'
import { type DetectorsDeps, registerDetectorsApi } from './detectors.ts'
import type { Guard } from './guard.ts'
import { type IncidentsApiDeps, registerIncidentsApi } from './incidents.ts'
import { type NotificationsDeps, registerNotificationsApi } from './notifications.ts'
import { registerOwnRulesApi } from './rules-own.ts'
import { registerSlo, type SloDeps } from './slo.ts'

export interface TellingApiDeps extends SloDeps, Omit<IncidentsApiDeps, 'guard' | 'clock'>, Pick<NotificationsDeps, 'notifier'> {
  readonly guard: Pick<Guard, 'actor'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly version: string
  readonly startedAt: Milliseconds
  readonly alerts: AlertManager
  readonly ownRules: OwnRules
  readonly backtests: Backtests
  readonly detectors: Omit<DetectorsDeps, 'clock'>
  readonly deploys: Omit<DeploysDeps, 'guard' | 'clock'>
}

/** All of them; the guard stands before each. */
export function registerTelling(app: FastifyInstance, deps: TellingApiDeps): void {
  const { guard, clock } = deps
  registerAlerts(app, deps)
  registerAlertmanager(app, deps)
  registerNotificationsApi(app, deps)
  registerIncidentsApi(app, deps)
  registerOwnRulesApi(app, { own: deps.ownRules, backtests: deps.backtests, guard })
  registerSlo(app, deps)
  registerDetectorsApi(app, { ...deps.detectors, clock })
  registerDeploysApi(app, { ...deps.deploys, guard, clock })
}
