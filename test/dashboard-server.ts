import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'

/** A request that changes something. */
export interface Sent {
  readonly method: string
  readonly path: string
  /** Parsed; undefined where there was none. */
  readonly body: unknown
}

/** A running stand-in for the server of Andon. */
export interface DashboardServer {
  readonly url: string
  /** Paths that were asked for under /api, in order. */
  readonly asked: readonly string[]
  /** What was asked to be changed, in order. */
  readonly sent: readonly Sent[]
  /** How many live streams are open. */
  streams(): number
  /** Sends what a path answers now to every stream that follows it. @returns to how many */
  push(pathname: string): number
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }
/** The same as the server's: what it forbids must not be needed. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; form-action 'self'"

/**
 * Serves the built dashboard and answers its routes from `api`, live stream included: every announced path is answered at once.
 *
 * @param files - the folder of the built page
 * @param api - the answer to a path with its query; undefined is 404
 * @param change - the answer to a request that changes something; undefined is 204, and a Refusal an error
 */
export async function serveDashboard(files: string, api: (url: URL) => unknown, change: (sent: Sent) => unknown = () => undefined): Promise<DashboardServer> {
  const asked: string[] = []
  const sent: Sent[] = []
  const streams = new Map<string, Stream>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/api/live') openStream(streams, response)
    else if (url.pathname.startsWith('/api/live/')) void subscribe(streams, api, { request, response, id: url.pathname.slice(10) })
    else if (request.method !== 'GET') void changed(request, response, { url, sent, change })
    else if (url.pathname.startsWith('/api/')) {
      asked.push(url.pathname + url.search)
      const body = api(url)
      response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body ?? { error: { code: 'not_found', message: 'There is no such trace.', hint: 'It may have expired.' } }))
    } else sendFile(files, url.pathname, response)
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    sent,
    streams: () => streams.size,
    push: (pathname) => {
      const following = [...streams.values()].flatMap((stream) => [...stream.paths].filter((path) => path.split('?')[0] === pathname).map((path) => ({ stream, path })))
      for (const { stream, path } of following) send(stream, path, api)
      return following.length
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

/** An answer that is an error. */
export class Refusal {
  readonly status: number
  readonly code: string
  readonly message: string

  constructor(status: number, code: string, message: string) {
    this.status = status
    this.code = code
    this.message = message
  }
}

async function changed(request: IncomingMessage, response: ServerResponse, { url, sent, change }: { url: URL; sent: Sent[]; change: (sent: Sent) => unknown }): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const one: Sent = { method: request.method ?? '', path: url.pathname + url.search, body: text === '' ? undefined : JSON.parse(text) }
  sent.push(one)
  const answer = change(one)
  if (answer instanceof Refusal) {
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { code: answer.code, message: answer.message, hint: '' } }))
  } else if (answer === undefined) response.writeHead(204).end()
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

interface Stream {
  readonly response: ServerResponse
  readonly paths: Set<string>
}

function send({ response }: Stream, path: string, api: (url: URL) => unknown): void {
  response.write(`event: data\ndata: ${JSON.stringify({ path, body: api(new URL(path, 'http://localhost')) })}\n\n`)
}

function openStream(streams: Map<string, Stream>, response: ServerResponse): void {
  const id = randomUUID()
  streams.set(id, { response, paths: new Set() })
  response.on('close', () => streams.delete(id))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`event: hello\ndata: {"id":"${id}"}\n\n`)
}

async function subscribe(
  streams: Map<string, Stream>,
  api: (url: URL) => unknown,
  { request, response, id }: { request: IncomingMessage; response: ServerResponse; id: string },
): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const { subscribe: wanted, unsubscribe: unwanted = [] }: { subscribe: string[]; unsubscribe?: string[] } = JSON.parse(text)
  response.writeHead(204).end()
  const stream = streams.get(id)
  for (const path of unwanted) stream?.paths.delete(path)
  if (stream === undefined) return
  for (const path of wanted) {
    stream.paths.add(path)
    send(stream, path, api)
  }
}

function sendFile(files: string, path: string, response: ServerResponse): void {
  const wanted = join(files, normalize(path))
  const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(files, 'index.html')
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY })
  createReadStream(file).pipe(response)
}
