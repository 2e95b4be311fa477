import { setTimeout as wait } from 'node:timers/promises'

/**
 * Asks again until the answer is there: for what another process does in its own time.
 *
 * @param ask - gives undefined while the answer is not there
 * @param within - milliseconds after which the wait is given up
 * @throws Error with `what` when the time is over
 */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, within = 30_000): Promise<T> {
  const until = performance.now() + within
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > until) throw new Error(`${what}: not within ${within} ms`)
    await wait(100)
  }
}
