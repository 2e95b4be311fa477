export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Structured lines: one message that is always the same text, and what differs as fields. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
  /** A log whose lines carry these fields as well. */
  child(fields: Readonly<Record<string, unknown>>): Log
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Fields that may hold a secret are never written, whatever they hold. */
const SECRET = /token|password|passwd|secret|authorization|cookie|api[-_]?key/i

function safe(key: string, value: unknown): unknown {
  if (SECRET.test(key)) return '[redacted]'
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack, cause: value.cause }
  return typeof value === 'bigint' ? String(value) : value
}

/**
 * A log that writes JSON lines.
 *
 * @param level - the least level that is written
 * @param write - takes one line with its newline; standard error when absent
 * @param now - milliseconds since the Unix epoch
 */
export function createLog(level: LogLevel, now: () => number, write: (line: string) => void = (line) => void process.stderr.write(line)): Log {
  const least = LEVELS.indexOf(level)
  const make = (bound: Readonly<Record<string, unknown>>): Log => {
    const at =
      (own: LogLevel) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        if (LEVELS.indexOf(own) < least) return
        write(`${JSON.stringify({ time: new Date(now()).toISOString(), level: own, message, ...bound, ...fields }, safe)}\n`)
      }
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: (fields) => make({ ...bound, ...fields }) }
  }
  return make({})
}

/** A log that writes nothing, for tests. */
export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silentLog }
