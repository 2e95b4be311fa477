import { ask, messageOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface CoverageFlags extends ServerFlags {
  readonly service?: string
  readonly json?: boolean
}

interface Operation {
  readonly kind: string
  readonly name: string
  readonly metrics: boolean
  readonly traces: boolean
}

/** One service of GET /api/coverage. */
interface Service {
  readonly service: string
  readonly reports: boolean
  readonly total: number
  readonly covered: number
  readonly share: number | null
  readonly operations: readonly Operation[]
}

interface Answer {
  readonly services?: readonly Service[]
  readonly error?: unknown
}

const percent = (share: number | null): string => (share === null ? 'no operation known' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`)

function renderService({ service, reports, total, covered, share, operations }: Service): string {
  const missing = operations.filter(({ metrics, traces }) => !metrics && !traces)
  const lines = [`${service}: ${percent(share)}${total === 0 ? '' : ` (${covered} of ${total} critical operations have metrics or traces)`}`]
  if (!reports) lines.push('It does not report what it registers: operations that were never called are not known.')
  if (missing.length > 0) lines.push('No data in the last day:', table(['kind', 'operation'], missing.map(({ kind, name }) => [kind, name])))
  return lines.join('\n')
}

/** Coverage as a text for people; objectives and alerts are not part of it yet, and it says so. */
export function renderCoverage(services: readonly Service[]): string {
  if (services.length === 0) return 'No service has sent anything in the last day.'
  return [...services.map(renderService), 'Objectives and alerts are not held against operations yet: this version has none.'].join('\n\n')
}

/**
 * Which critical operations of the last day have data.
 *
 * @returns the text for standard output
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function coverage(flags: CoverageFlags): Promise<string> {
  const { url, service, json } = flags
  const answer = await ask<Answer>(`${url}/api/coverage${service === undefined ? '' : `?service=${encodeURIComponent(service)}`}`, flags)
  if (answer.services === undefined) throw new CommandError(EXIT.problem, messageOf(answer.error, 'The server gave no coverage.'))
  return json === true ? JSON.stringify(answer, undefined, 2) : renderCoverage(answer.services)
}
