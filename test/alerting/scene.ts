// When the pages of alerting are looked at, and what incidents there are then.
import { NOW } from '../dashboard-now.ts'

export const MINUTE = 60_000
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR
export const ago = (ms: number): number => NOW - ms

/** The incident that nobody has taken yet. */
export const OPEN_INCIDENT = 'inc-2026-11-24-1'
export const TAKEN_INCIDENT = 'inc-2026-11-24-2'
export const ENDED_INCIDENT = 'inc-2026-11-21-1'

/** What the alert of the burst watches. */
export const ERROR_EXPRESSION = 'sum by (service_name) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[2m])) / sum by (service_name) (rate(http_server_request_duration_seconds_count[2m]))'
