// Drives the application through a number of requests under the agent, and asks at intervals what it holds.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { connect, createServer, type Server } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { speakPostgres } from '@andon/bench'
import { decodeMetrics } from '@andon/wire'

/** What a process holds after its garbage was collected. */
export interface Holding {
  readonly heapBytes: number
  /** Memory of buffers, outside of the heap. */
  readonly externalBytes: number
  readonly residentBytes: number
  /** Open file descriptors; 0 where the system does not tell. */
  readonly files: number
  /** Sockets, servers, timers and what else keeps the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>
}

export interface Sample extends Holding {
  /** Requests until then. */
  readonly requests: number
  /** Milliseconds since the start. */
  readonly afterMs: number
}

export interface SoakOptions {
  readonly requests: number
  /** How many between two samples. */
  readonly every: number
  /** Three quarters of the requests ask for what needs no statement: several times as many of them in the same time. */
  readonly light?: boolean
  /** The program that runs the application. */
  readonly node?: string
  /** Told of each sample. */
  readonly told?: (sample: Sample) => void
}

export interface SoakResult {
  readonly samples: readonly Sample[]
  /** Requests that the agent's histogram counted, of `answered`. */
  readonly counted: number
  readonly answered: number
  readonly light: boolean
}

const CONNECTIONS = 16
/** Requests until a connection is made anew. */
const PER_CONNECTION = 500

const hash = (number: number): string => Math.imul(number + 1, 0x9e_37_79_b1).toString(16)

/** The first requests are all of the kind that comes once, so that what the agent keeps up to a number is full when it counts. */
const FILLING = 12_000

/** The request of a number: most alike, and some with a path, a query, headers and a user agent that never come again. */
function requestText(number: number, light: boolean): string {
  const kind = number % 20
  const common = light && kind !== 0 ? '/ping' : `/boards/${number % 7}`
  const path = number < FILLING || kind === 3 ? `/unique/${number}` : kind === 7 ? `/call/${number}` : kind === 11 ? `/fail/${number}` : kind === 13 ? `/nothing/${hash(number)}?token=${number}&q=${hash(number)}` : common
  const own = number % 4 === 1 ? `User-Agent: agent/${number}\r\nX-Once-${hash(number)}: 1\r\ntraceparent: 00-${hash(number).replace('-', '').padStart(32, '1')}-00000000000000a1-01\r\nbaggage: user=${number}\r\n` : 'User-Agent: soak\r\n'
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${own}\r\n`
}

/** Where the first answer in the bytes ends; 0 when it has not all come. */
function answerEnd(bytes: Buffer): number {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return 0
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1]
  const end = head + 4 + Number(length ?? 0)
  return bytes.length >= end ? end : 0
}

/** Sends requests over one connection, each when the last is answered, as long as `next` gives numbers. */
async function drive(port: number, light: boolean, next: () => number | undefined): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  await once(socket, 'connect')
  let held: Buffer = Buffer.alloc(0)
  const send = (): void => {
    const number = next()
    if (number === undefined) socket.end()
    else socket.write(requestText(number, light))
  }
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const end = answerEnd(held)
    if (end === 0) return
    held = held.subarray(end)
    send()
  })
  send()
  await once(socket, 'close')
}

/** Goes away in the middle of its request's answer. */
async function abort(port: number, light: boolean, number: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(requestText(number, light), () => socket.destroy())
  await once(socket, 'close')
}

/** Numbers from one on, and how many are left. */
class Numbers {
  #next: number
  readonly #end: number

  constructor(from: number, end: number) {
    this.#next = from
    this.#end = end
  }

  get left(): number {
    return this.#end - this.#next
  }

  take(): number {
    this.#next += 1
    return this.#next - 1
  }
}

async function segment(port: number, light: boolean, { from, end }: { readonly from: number; readonly end: number }): Promise<void> {
  const numbers = new Numbers(from, end)
  const one = async (): Promise<void> => {
    while (numbers.left > 0) {
      let left = PER_CONNECTION
      await drive(port, light, () => {
        left -= 1
        return left < 0 || numbers.left === 0 ? undefined : numbers.take()
      })
      await abort(port, light, end - numbers.left)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Counts requests as the agent's histogram tells them, and forgets everything else. */
function collector(count: (requests: number) => void): HttpServer {
  return createHttpServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => {
      if (request.url === '/v1/metrics') chunks.push(chunk)
    })
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      for (const { name, data } of body.length === 0 ? [] : decodeMetrics(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)) {
        if (name === 'http.server.request.duration' && data.type === 'exponentialHistogram') for (const point of data.points) count(point.count)
      }
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
}

async function answerOf<T>(child: ChildProcess): Promise<T> {
  return await new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the application ended with ${String(code)}`))
    child.once('exit', ended)
    child.once('message', (answer: T) => {
      child.off('exit', ended)
      resolve(answer)
    })
  })
}

/** Runs the soak. @throws Error when the application ends before it was asked to */
export async function soak({ requests, every, light = false, node, told }: SoakOptions): Promise<SoakResult> {
  let counted = 0
  const postgres = createServer(speakPostgres)
  const backend = createHttpServer((_request, response) => response.end('7'))
  const sink = collector((more) => (counted += more))
  const ports = await Promise.all([postgres, backend, sink].map(listening))
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...inherited } = process.env
  const child = fork(new URL('application.js', import.meta.url), [], {
    ...(node !== undefined && { execPath: node }),
    execArgv: ['--expose-gc', '--import', import.meta.resolve('@andon/agent/register')],
    env: { ...inherited, PGURL: `postgres://soak@127.0.0.1:${ports[0] ?? 0}/soak`, BACKEND: `http://127.0.0.1:${ports[1] ?? 0}`, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports[2] ?? 0}`, OTEL_SERVICE_NAME: 'soak', OTEL_METRIC_EXPORT_INTERVAL: '1000' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    const { port } = await answerOf<{ readonly port: number }>(child)
    const began = performance.now()
    const samples: Sample[] = []
    for (let done = 0; done < requests; done += every) {
      await segment(port, light, { from: done, end: Math.min(requests, done + every) })
      child.send('tell')
      const sample = { ...(await answerOf<Holding>(child)), requests: Math.min(requests, done + every), afterMs: performance.now() - began }
      samples.push(sample)
      told?.(sample)
    }
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    return { samples, counted, answered: requests, light }
  } finally {
    child.kill('SIGKILL')
    for (const server of [postgres, backend, sink]) server.close()
    backend.closeAllConnections()
    sink.closeAllConnections()
  }
}
