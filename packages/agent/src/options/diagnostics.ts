// OTEL_LOG_LEVEL: what the agent and OpenTelemetry's API say about themselves, on standard error.
import { format } from 'node:util'
import { diag, type DiagLogFunction, DiagLogLevel } from '@opentelemetry/api'
import { type Environment, text } from './environment.ts'

const LEVELS: ReadonlyMap<string, DiagLogLevel> = new Map([
  ['none', DiagLogLevel.NONE],
  ['error', DiagLogLevel.ERROR],
  ['warn', DiagLogLevel.WARN],
  ['info', DiagLogLevel.INFO],
  ['debug', DiagLogLevel.DEBUG],
  ['verbose', DiagLogLevel.VERBOSE],
  ['all', DiagLogLevel.ALL],
])

/** Not on standard output: that is the host's, and may be read by a program. */
function line(kind: string): DiagLogFunction {
  return (message, ...more) => void process.stderr.write(`[${kind}] ${format(message, ...more)}\n`)
}

/** Sets a logger where a level is named; without one a logger of the host stays, and by default there is none. */
export function startDiagnostics(env: Environment): void {
  const name = text(env, 'OTEL_LOG_LEVEL')
  const level = name === undefined ? undefined : LEVELS.get(name.toLowerCase())
  if (name === undefined) return
  diag.setLogger({ error: line('error'), warn: line('warn'), info: line('info'), debug: line('debug'), verbose: line('verbose') }, { logLevel: level ?? DiagLogLevel.WARN, suppressOverrideMessage: true })
  if (level === undefined) diag.warn(`andon: OTEL_LOG_LEVEL may be ${[...LEVELS.keys()].join(', ')}, not "${name}"; warn is used`)
}
