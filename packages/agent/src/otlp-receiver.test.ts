// A receiver of OTLP for the tests beside it, and programs that run under the agent.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TestContext } from 'node:test'
import type { ExceptionRecord, MetricRecord, SpanRecord } from '@andon/model'
import { decodeExceptions, decodeMetrics, decodeSpans } from '@andon/wire'

export interface Received {
  readonly path: string
  /** The header andon-batch. */
  readonly batch: string
  readonly body: Buffer
}

/** How a request is answered; undefined: with success. */
export type Answer = (request: Received, response: ServerResponse) => void

export class Receiver {
  readonly requests: Received[] = []
  url = ''
  /** Replaced by a test that wants something else than success. */
  answer: Answer | undefined
  #waiting: (() => void)[] = []

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const whole = Buffer.concat(chunks)
    const received = { path: request.url ?? '', batch: String(request.headers['andon-batch']), body: request.headers['content-encoding'] === 'gzip' ? gunzipSync(whole) : whole }
    this.requests.push(received)
    if (this.answer === undefined) response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    else this.answer(received, response)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  of(path: string): Received[] {
    return this.requests.filter((request) => request.path === path)
  }

  get spans(): SpanRecord[] {
    return this.of('/v1/traces').flatMap(({ body }) => decodeSpans(body))
  }

  get metrics(): MetricRecord[] {
    return this.of('/v1/metrics').flatMap(({ body }) => decodeMetrics(body))
  }

  get exceptions(): ExceptionRecord[] {
    return this.of('/v1/logs').flatMap(({ body }) => decodeExceptions(body).exceptions)
  }

  /** Settles when `found` holds, asked after each request. */
  async until(found: () => boolean): Promise<void> {
    while (!found()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

/** A receiver on a port of its own until `end`. */
export async function receive(): Promise<{ readonly receiver: Receiver; readonly end: () => Promise<void> }> {
  const receiver = new Receiver()
  const server = createServer((request, response) => void receiver.take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  receiver.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const end = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { receiver, end }
}

/** A receiver that is closed when the test ends. */
export async function startReceiver(t: TestContext): Promise<Receiver> {
  const { receiver, end } = await receive()
  t.after(end)
  return receiver
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What is shipped: the bundle. */
export const REGISTER: URL = new URL(import.meta.resolve('@andon/agent/register'))

/** What is run, and what it loads before. */
export interface Program {
  readonly preload: URL
  readonly type: 'module' | 'commonjs'
  readonly text: string
}

/**
 * Runs a program's text under the agent.
 *
 * @param endpoint - where the agent sends
 * @param env - further variables; NODE_TEST_CONTEXT is left out, so that the child is no test of ours
 */
export function runProgram(t: TestContext, type: 'module' | 'commonjs', text: string, endpoint: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return runPreloaded(t, { preload: REGISTER, type, text }, endpoint, env)
}

/** Runs a program's text under any agent that sends OTLP. */
export async function runPreloaded(t: TestContext, { preload, type, text }: Program, endpoint: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...inherited } = process.env
  const child = spawn(process.execPath, ['--import', preload.href, `--input-type=${type}`, '-e', text], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...inherited, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: 'program', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, signal: child.signalCode, stdout, stderr }
}
