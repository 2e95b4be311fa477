import { ask, messageOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface DetectorsFlags extends ServerFlags {
  readonly service?: string
  readonly firing?: boolean
  readonly json?: boolean
}

/** One series of GET /api/detectors, as far as it is shown. */
interface Detector {
  readonly service: string
  readonly environment: string
  readonly signal: string
  readonly key: string
  readonly unit: string
  readonly state: string
  readonly because: string
  readonly value: number | null
  readonly expected: number | null
  readonly high: number | null
  readonly low: number | null
  readonly firing: boolean
}

interface Answer {
  readonly replaying?: boolean
  readonly until: number
  readonly total: number
  readonly detectors?: readonly Detector[]
  readonly error?: unknown
}

const SHOWN: Readonly<Record<string, readonly [factor: number, unit: string]>> = { seconds: [1000, ' ms'], ratio: [100, ' %'], 'per second': [1, '/s'], bytes: [2 ** -20, ' MiB'] }

function shown(value: number | null, unit: string): string {
  const [factor, name] = SHOWN[unit] ?? [1, '']
  return value === null ? '' : `${Number((value * factor).toPrecision(3))}${name}`
}

/** The answer as a table for people. */
export function renderDetectors({ replaying, until, total, detectors: shownOnes = [] }: Answer): string {
  if (shownOnes.length === 0) return 'No series is watched yet; the first ones come with the first requests.'
  const rows = shownOnes.map((each) => [
    each.environment === '' ? each.service : `${each.service} (${each.environment})`,
    each.key === '' ? each.signal : `${each.signal} ${each.key}`,
    each.firing ? `${each.state}, ALARM` : each.state,
    shown(each.value, each.unit),
    shown(each.expected, each.unit),
    each.low === null && each.high === null ? '' : `${shown(each.low, each.unit)} to ${shown(each.high, each.unit)}`,
    each.because,
  ])
  const lines = [table(['service', 'series', 'state', 'now', 'expected', 'usual', 'because'], rows)]
  if (total > shownOnes.length) lines.push(`${total - shownOnes.length} more are not shown.`)
  if (replaying === true) lines.push(`The stored history is still being read; it has come to ${new Date(until).toISOString()}.`)
  return lines.join('\n')
}

/**
 * What the detectors watch.
 *
 * @returns the text for standard output
 * @throws CommandError unreachable, problem when the server refuses
 */
export async function detectors(flags: DetectorsFlags): Promise<string> {
  const { url, service, firing, json } = flags
  const query = new URLSearchParams({ ...(service !== undefined && { service }), ...(firing === true && { firing: 'true' }) }).toString()
  const answer = await ask<Answer>(`${url}/api/detectors${query === '' ? '' : `?${query}`}`, flags)
  if (answer.detectors === undefined) throw new CommandError(EXIT.problem, messageOf(answer.error, 'The server told nothing of detectors.'))
  return json === true ? JSON.stringify(answer, undefined, 2) : renderDetectors(answer)
}
