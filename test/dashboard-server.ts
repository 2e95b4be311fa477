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
  const streams = new Map<string, ServerResponse>()
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
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

function openStream(streams: Map<string, ServerResponse>, response: ServerResponse): void {
  const id = randomUUID()
  streams.set(id, response)
  response.on('close', () => streams.delete(id))
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`event: hello\ndata: {"id":"${id}"}\n\n`)
}

async function subscribe(
  streams: Map<string, ServerResponse>,
  api: (url: URL) => unknown,
  { request, response, id }: { request: IncomingMessage; response: ServerResponse; id: string },
): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const { subscribe: paths }: { subscribe: string[] } = JSON.parse(text)
  response.writeHead(204).end()
  for (const path of paths) {
    streams.get(id)?.write(`event: data\ndata: ${JSON.stringify({ path, body: api(new URL(path, 'http://localhost')) })}\n\n`)
  }
}

function sendFile(files: string, path: string, response: ServerResponse): void {
  const wanted = join(files, normalize(path))
  const file = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(files, 'index.html')
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY })
  createReadStream(file).pipe(response)
}
