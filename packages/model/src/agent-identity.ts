/** Who an agent is and what it has applied, as it says with each request in the header `andon-instance`. */
export interface AgentIdentity {
  readonly service: string
  /** `service.instance.id`. */
  readonly instance: string
  /** Of the agent, not of the service. */
  readonly version: string
  /** The revision of the desired state that is in force; 0: its own defaults. */
  readonly revision: number
  /** What it can be told to do: sampling, thresholds, profile. */
  readonly capabilities: readonly string[]
}

const MAX_HEADER = 2000
const MAX_TEXT = 300

/** The header's text: `service=shop&instance=host%3A1&version=0.1.0&revision=3&can=sampling,thresholds`. */
export function writeAgentIdentity({ service, instance, version, revision, capabilities }: AgentIdentity): string {
  return [
    ['service', service],
    ['instance', instance],
    ['version', version],
    ['revision', String(revision)],
    ['can', capabilities.join(',')],
  ]
    .map(([key = '', value = '']) => `${key}=${encodeURIComponent(value)}`)
    .join('&')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function isName(name: string): boolean {
  return name.trim() !== '' && name.length <= MAX_TEXT && !/\p{Cc}/u.test(name)
}

/** What such a header says; undefined where it is none, names no service or instance, or is longer than 2,000 characters. */
export function readAgentIdentity(header: string): AgentIdentity | undefined {
  if (header.length > MAX_HEADER) return undefined
  const found = new Map(
    header.split('&').map((part) => {
      const at = part.indexOf('=')
      return [part.slice(0, Math.max(0, at)), decoded(part.slice(at + 1))] as const
    }),
  )
  const field = (key: string): string => found.get(key) ?? ''
  const [service, instance, revision] = [field('service'), field('instance'), Number(field('revision') || 'NaN')]
  if (!isName(service) || !isName(instance) || !Number.isSafeInteger(revision) || revision < 0) return undefined
  const capabilities = field('can').split(',').filter((each) => /^[a-z]{1,20}$/.test(each)).slice(0, 10)
  return { service, instance, version: field('version').slice(0, 50), revision, capabilities }
}
