/**
 * An answer that others wait for too, so that it goes on where one of them has gone.
 *
 * @throws the signal's reason as soon as it is aborted, and what the answer fails with
 */
export async function untilGone<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await answer
  signal.throwIfAborted()
  let leave = (): void => undefined
  const gone = new Promise<never>((_, fail) => {
    leave = () => fail(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([answer, gone])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
