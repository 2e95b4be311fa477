// Begins a fixed number of requests a second, whatever the answers take.
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'

const TICK_MS = 5
/** Requests that may be under way; further ones are not begun, and the run says so. */
const UNDER_WAY_MAX = 256

export interface Paced {
  /** Requests that were answered. */
  readonly requests: number
  /** Those that were not begun because too many were under way. */
  readonly leftOut: number
}

/** @throws Error for an answer other than 200 */
export async function runPaced(port: number, perSecond: number, seconds: number): Promise<Paced> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const counts = { begun: 0, underWay: 0, answered: 0, leftOut: 0 }
  let failure: Error | undefined
  const one = async (): Promise<void> => {
    counts.underWay += 1
    try {
      const [response] = await once(get({ port, host: '127.0.0.1', path: '/boards/7', agent }), 'response')
      response.resume()
      await once(response, 'end')
      if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`)
      counts.answered += 1
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(String(error))
    }
    counts.underWay -= 1
  }
  const began = performance.now()
  for (let passed = 0; passed < seconds * 1000; passed = performance.now() - began) {
    for (const due = Math.floor((passed / 1000) * perSecond); counts.begun < due; counts.begun += 1) {
      if (counts.underWay < UNDER_WAY_MAX) void one()
      else counts.leftOut += 1
    }
    await wait(TICK_MS)
  }
  while (counts.underWay > 0) await wait(TICK_MS)
  agent.destroy()
  if (failure !== undefined) throw failure
  return { requests: counts.answered, leftOut: counts.leftOut }
}
