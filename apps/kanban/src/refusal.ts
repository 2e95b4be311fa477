/** A refusal that the one who asked can act on: answered as {"error": {code, message, hint, ...details}}. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, hint: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.code = code
    this.hint = hint
    this.details = details
  }
}

export function notFound(what: string): Refusal {
  return new Refusal(404, 'not_found', `There is no such ${what}.`, 'It may have been deleted; load the page again.')
}
