// Where a process spends its time, by a profile of itself: whose code it is that costs.
import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'

/** Microseconds by whose code it is. */
export type Shares = Readonly<Record<string, number>>

const APPLICATION = 'the application and its packages'
const PARTS: readonly (readonly [pattern: RegExp, part: string])[] = [
  [/^node:(?:internal\/)?(?:async_hooks|async_context_frame|async_local_storage\/)/, 'Node: asynchronous context'],
  [/^node:internal\/promise_hooks/, 'Node: asynchronous context'],
  [/^node:diagnostics_channel/, 'Node: diagnostics channels'],
  [/^node:(?:internal\/)?(?:perf|histogram)/, 'Node: performance hooks'],
  [/^node:/, 'Node: HTTP, sockets, streams, timers'],
  [/\/packages\/agent\//, 'the agent'],
  [/\/node_modules\/(?:@opentelemetry|dd-trace|@datadog|elastic-apm-node|import-in-the-middle|require-in-the-middle)\//, 'the agent'],
]
const NATIVE: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'native code and system calls'],
])

/** Whose code a function is; undefined where nothing is done. */
function partOf(functionName: string, url: string): string | undefined {
  if (functionName === '(idle)') return undefined
  const native = NATIVE.get(functionName)
  if (native !== undefined) return native
  return PARTS.find(([pattern]) => pattern.test(url))?.[1] ?? APPLICATION
}

/** The time of each part of a profile by itself, without what it calls. */
function sharesOf({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Shares {
  const parts = new Map(nodes.map(({ id, callFrame }) => [id, partOf(callFrame.functionName, callFrame.url)]))
  const shares: Record<string, number> = {}
  for (const [index, node] of samples.entries()) {
    const part = parts.get(node)
    if (part !== undefined) shares[part] = (shares[part] ?? 0) + Math.max(0, timeDeltas[index] ?? 0)
  }
  return shares
}

let session: Session | undefined

/** Begins to look, two thousand times a second. */
export async function beginProfile(): Promise<void> {
  session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
}

/** What was seen since. */
export async function endProfile(): Promise<Shares> {
  if (session === undefined) return {}
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return sharesOf(profile)
}
