// Runs a program twice: under our agent, and under the OpenTelemetry SDK with its published instrumentations.
import assert from 'node:assert/strict'
import { type TestContext } from 'node:test'
import { REGISTER, runPreloaded, startReceiver } from '../../otlp-receiver.test.ts'
import { type Allowed, Comparison } from './comparison.test.ts'
import { PUBLISHED_SDK } from './published-sdk.test.ts'
import { type Node, type Ports, treesOf } from './span-tree.test.ts'

/** Longer than any of the programs needs on a busy machine. */
export const LIMIT_MS = 60_000

function readPorts(stdout: string): Ports {
  return JSON.parse(stdout.split('\n', 1)[0] ?? '')
}

async function run(t: TestContext, preload: URL, text: string, { ports, ...env }: Options): Promise<readonly Node[]> {
  const receiver = await startReceiver(t)
  const variables = { ...env, OTEL_SEMCONV_STABILITY_OPT_IN: 'http,database', ANDON_TEST_PUBLISHED: preload === PUBLISHED_SDK ? '1' : '' }
  const { code, stdout, stderr } = await runPreloaded(t, { preload, type: 'commonjs', text }, receiver.url, variables)
  // The server that mysql2 brings says so much about its own packets.
  assert.deepEqual([code, stderr.replace(/^Warning: got packets out of order.*\n/gm, '')], [0, ''])
  return treesOf(receiver.spans, { ...ports, ...readPorts(stdout) })
}

interface Options {
  /** Of servers that the program does not start itself. */
  readonly ports?: Ports
  readonly FILE?: string
  readonly PORT?: string
  readonly PGURL?: string
}

/** Fails with each difference that is not allowed, and with each allowed one that is not there. */
export async function compareBoth(t: TestContext, text: string, allowed: readonly Allowed[], options: Options = {}): Promise<void> {
  const [ours, theirs] = await Promise.all([run(t, REGISTER, text, options), run(t, PUBLISHED_SDK, text, options)])
  assert.ok(ours.length > 3 && ours.some(({ children }) => children.length > 0), 'the program left no spans')
  const comparison = new Comparison(allowed)
  comparison.compare(ours, theirs)
  assert.equal(comparison.faults.join('\n'), '')
}
