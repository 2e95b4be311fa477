import { ApiError, errorOf } from './client.ts'

/**
 * Asks the server to change something.
 *
 * @param path - from the root of the server
 * @param body - sent as JSON; undefined sends none
 * @returns the answer; undefined where it is empty
 * @throws ApiError when the server cannot be reached (status 0) or refuses
 */
export async function sendJson<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T | undefined> {
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch {
    throw new ApiError(0, 'unreachable', 'The server of Andon does not answer.', 'Nothing was changed. Try again when it answers.')
  }
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => null))
  const text = await response.text()
  if (text === '') return undefined
  const answer: T = JSON.parse(text)
  return answer
}
