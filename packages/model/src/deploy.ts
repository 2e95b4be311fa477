import type { Milliseconds } from './units.ts'

/** A release, a change of configuration or another intervention that may explain what follows it. */
export interface DeployMarker {
  readonly id: string
  readonly service: string
  /** '' where it holds for all of them. */
  readonly environment: string
  readonly version: string
  readonly at: Milliseconds
  /** Seen in the telemetry (a new service.version), or told by API or CLI. */
  readonly source: 'seen' | 'told'
  readonly actor: string
  /** Such as a commit or the address of a build; '' for none. */
  readonly note: string
}
