// What a call of a database ended with when it failed, in the conventions' words.
import type { CallEnd } from './statements.ts'
import { get, getText } from './wrap.ts'

/** The class of an error: its code, such as ECONNREFUSED, else its name, else that of its class. */
function classOf(error: unknown): string {
  const name = getText(error, 'name') ?? ''
  const own = getText(error, 'code') ?? (name === 'Error' ? '' : name)
  return own || getText(get(error, 'constructor'), 'name') || 'Error'
}

/**
 * The end of a call that failed.
 *
 * @param status - what the database itself answered with, such as an SQLSTATE; undefined where the error is not of it
 * @see https://opentelemetry.io/docs/specs/semconv/db/database-spans/ (`error.type` matches `db.response.status_code`)
 */
export function failure(error: unknown, status?: string): CallEnd {
  return { errorType: status ?? classOf(error), status, message: getText(error, 'message') ?? String(error) }
}
