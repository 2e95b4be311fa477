import { once } from 'node:events'

/**
 * An answer that others wait for too, so that it goes on where one of them has gone.
 *
 * @throws the signal's reason as soon as it is aborted, and what the answer fails with
 */
export async function untilGone<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await answer
  signal.throwIfAborted()
  const answered = new AbortController()
  const gone = once(signal, 'abort', { signal: answered.signal }).then(() => Promise.reject(signal.reason))
  gone.catch(() => undefined)
  try {
    return await Promise.race([answer, gone])
  } finally {
    answered.abort()
  }
}
