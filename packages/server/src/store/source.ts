import type { AttributeValue, Resource } from '@andon/model'
import { stringOf } from './cells.ts'

/** Who sent a record, as every table names it. */
export interface Source {
  /** `service.name`; "unknown_service" when the sender does not say. */
  readonly service: string
  /** `deployment.environment.name`, or ''. */
  readonly env: string
  /** `service.version`, or ''. */
  readonly version: string
  /** `service.instance.id`, else host:pid. */
  readonly instance: string
  /** `service.namespace/service.name`, or the name alone. */
  readonly job: string
}

const known = new WeakMap<Resource, Source>()

/** What a resource says of its service; computed once per resource object. */
export function describeSource(resource: Resource): Source {
  let source = known.get(resource)
  if (source === undefined) known.set(resource, (source = describe(resource.attributes)))
  return source
}

function describe(attributes: Readonly<Record<string, AttributeValue>>): Source {
  const field = (...keys: readonly string[]): string => keys.map((key) => stringOf(attributes[key] ?? '')).find((value) => value !== '') ?? ''
  const service = field('service.name') || 'unknown_service'
  const namespace = field('service.namespace')
  const hostAndPid = [field('host.name'), field('process.pid')].filter((part) => part !== '').join(':')
  return {
    service,
    env: field('deployment.environment.name', 'deployment.environment'),
    version: field('service.version'),
    instance: field('service.instance.id') || hostAndPid,
    job: namespace === '' ? service : `${namespace}/${service}`,
  }
}
