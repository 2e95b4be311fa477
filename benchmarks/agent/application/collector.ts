// Takes what agents send, keeps the bytes, and reads them when it is asked: reading would cost the measured time.
import { createServer } from 'node:http'
import { checkRequests } from './complete.ts'
import { carriesSpans, readSpans, type Received, type SeenSpan } from './received.ts'

const received: Received[] = []

/** What each agent's own server says, as far as the agent looks at it. */
function answerOf(path: string): { readonly status: number; readonly type: string; readonly body: string } {
  if (path.startsWith('/v0.4/')) return { status: 200, type: 'application/json', body: '{"rate_by_service":{"service:,env:":1}}' }
  if (path.startsWith('/intake/')) return { status: 202, type: 'application/json', body: '' }
  if (path.startsWith('/v1/')) return { status: 200, type: 'application/x-protobuf', body: '' }
  return path === '/' ? { status: 200, type: 'application/json', body: '{"version":"8.19.0"}' } : { status: 404, type: 'text/plain', body: '' }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  const path = new URL(request.url ?? '/', 'http://collector').pathname
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  request.on('end', () => {
    if (carriesSpans(path)) received.push({ path, body: Buffer.concat(chunks), isPacked: /gzip|deflate/.test(String(request.headers['content-encoding'])) })
    const { status, type, body } = answerOf(path)
    response.writeHead(status, { 'content-type': type }).end(body)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
})

function* seen(): Generator<SeenSpan> {
  for (const each of received.splice(0)) yield* readSpans(each)
}
process.on('message', () => void process.send?.(checkRequests(seen())))
// It must not outlive who measures.
process.once('disconnect', () => process.exit())
