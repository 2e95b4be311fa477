import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'

/** A running stand-in for the server of Andon. */
export interface DashboardServer {
  readonly url: string
  /** Paths that were asked for under /api, in order. */
  readonly asked: readonly string[]
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
 */
export async function serveDashboard(files: string, api: (url: URL) => unknown): Promise<DashboardServer> {
  const asked: string[] = []
  const streams = new Map<string, Stream>()
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (url.pathname === '/api/live') openStream(streams, response)
    else if (url.pathname.startsWith('/api/live/')) void subscribe(streams, api, { request, response, id: url.pathname.slice(10) })
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
