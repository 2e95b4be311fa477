/** What the server refused, in its own words. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError'
  readonly status: number
  readonly code: string
  /** What to do about it; empty when there is nothing to say. */
  readonly hint: string
  /** The rest of the answer: the current version, the rule that refused. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(status: number, code: string, message: string, hint: string, details: Readonly<Record<string, unknown>>) {
    super(message)
    this.status = status
    this.code = code
    this.hint = hint
    this.details = details
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const error = isRecord(body) && isRecord(body['error']) ? body['error'] : {}
  return new ApiError(response.status, textOr(error['code'], 'unknown'), textOr(error['message'], `The server answered ${response.status}.`), textOr(error['hint'], ''), error)
}

async function send(method: Method, path: string, body: unknown, type: string): Promise<Response> {
  const init: RequestInit = { method, headers: { accept: 'application/json' }, credentials: 'same-origin' }
  if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': type }
    init.body = typeof body === 'string' ? body : JSON.stringify(body)
  }
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.', 'Check the connection and try again.', {})
  })
  if (!response.ok) throw await refusal(response)
  return response
}

/**
 * One request of the REST API.
 *
 * @returns the JSON of the answer; undefined when it has none
 * @throws ApiError with what the server said
 */
export async function request<T>(method: Method, path: string, body?: unknown, type = 'application/json'): Promise<T> {
  const response = await send(method, path, body, type)
  const text = response.status === 204 ? '' : await response.text()
  // The contract of the API says the shape; both sides are built and released together.
  const answer: T = text === '' ? undefined : JSON.parse(text)
  return answer
}

/** The text of an answer that is not JSON. */
export async function requestText(path: string): Promise<string> {
  return (await send('GET', path, undefined, '')).text()
}

/** What to tell a person about a failure. */
export function sayError(error: unknown): string {
  if (error instanceof ApiError) return error.hint === '' ? error.message : `${error.message} ${error.hint}`
  return error instanceof Error ? error.message : 'Something went wrong.'
}
