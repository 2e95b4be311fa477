export type ErrorCode =
  | 'internal'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'bad_parameter'
  | 'bad_body'
  | 'unsupported_media_type'
  | 'too_large'
  | 'bad_query'
  | 'query_failed'
  | 'query_too_large'
  | 'query_timeout'
  | 'overloaded'
  | 'unavailable'
  | 'disk_full'
  | 'unauthorized'
  | 'forbidden'
  | 'bad_config'
  | 'bad_rules'
  | 'port_in_use'
  | 'store_locked'

export const ERROR_CATALOGUE: Readonly<Record<ErrorCode, { readonly status: number; readonly hint: string }>> = {
  internal: { status: 500, hint: 'This is a defect of Andon. The log holds the whole error; please report it.' },
  not_found: { status: 404, hint: 'See docs/reference/http.md for the routes there are.' },
  method_not_allowed: { status: 405, hint: 'See docs/reference/http.md for the methods of this route.' },
  conflict: { status: 409, hint: 'It was changed meanwhile: read it anew, and decide again.' },
  bad_parameter: { status: 400, hint: 'Mend the named parameter.' },
  bad_body: { status: 400, hint: 'The body must be what its Content-Type says.' },
  unsupported_media_type: { status: 415, hint: 'Send application/x-protobuf or application/json.' },
  too_large: { status: 413, hint: 'Send smaller batches; the limits are in docs/reference/limits.md.' },
  bad_query: { status: 400, hint: 'The position in the message shows where the expression is wrong.' },
  query_failed: { status: 422, hint: 'The expression is well formed but cannot be evaluated on these data.' },
  query_too_large: { status: 422, hint: 'Narrow the selector, shorten the range or lengthen the step.' },
  query_timeout: { status: 503, hint: 'Shorten the range, lengthen the step or raise the timeout.' },
  overloaded: { status: 429, hint: 'Try again after the time in the Retry-After header.' },
  unavailable: { status: 503, hint: 'The store is not open yet or is closing; try again shortly.' },
  disk_full: { status: 503, hint: 'Keep it and send it again after the time in the Retry-After header; free space on the server, or shorten its retention.' },
  unauthorized: { status: 401, hint: 'Send a token: Authorization: Bearer TOKEN.' },
  forbidden: { status: 403, hint: 'This request is not allowed from where it comes; see docs/reference/security.md.' },
  bad_config: { status: 500, hint: 'Mend the named option; docs/reference/options.md lists them all.' },
  bad_rules: { status: 400, hint: 'Rules are written as Prometheus has them; docs/reference/rules.md shows what is understood.' },
  port_in_use: { status: 500, hint: 'Stop the process that holds the port, or choose another port.' },
  store_locked: { status: 500, hint: 'Another Andon uses this data directory; stop it, or choose another: --data-dir or ANDON_DATA_DIR.' },
}


/**
 * An error that a person or program outside can act on.
 *
 * `message` says what is wrong with this very input, `hint` what to do about it, `status` the HTTP status.
 * Anything thrown that is not an AndonError is answered as `internal`, and logged whole.
 */
export class AndonError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly hint: string

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AndonError'
    this.code = code
    this.status = ERROR_CATALOGUE[code].status
    this.hint = options.hint ?? ERROR_CATALOGUE[code].hint
  }
}
