// Takes what agents send, keeps the bytes, and reads them when it is asked: reading would cost the measured time.
import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { decodeSpans } from '@andon/wire'

const bodies: { readonly body: Buffer; readonly isPacked: boolean }[] = []

/** How many traces have one server span and two statements below it, and how many spans there are in all. */
function check(): { readonly spans: number; readonly complete: number; readonly traces: number } {
  const traces = new Map<string, { id: string; isServer: boolean; parent: string }[]>()
  let spans = 0
  for (const { body, isPacked } of bodies.splice(0)) {
    for (const { traceId, spanId, kind, parentSpanId, name } of decodeSpans(isPacked ? gunzipSync(body) : body)) {
      // Opening the pool's connections is no part of a request.
      if (name === 'CONNECT' || name.includes('connect')) continue
      spans += 1
      const own = traces.get(traceId) ?? []
      own.push({ id: spanId, isServer: kind === 'server', parent: parentSpanId })
      traces.set(traceId, own)
    }
  }
  let complete = 0
  for (const own of traces.values()) {
    const server = own.find(({ isServer }) => isServer)
    if (server !== undefined && own.length === 3 && own.every(({ isServer, parent }) => isServer || parent === server.id)) complete += 1
  }
  return { spans, complete, traces: traces.size }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => void chunks.push(chunk))
  request.on('end', () => {
    if (request.url === '/v1/traces') bodies.push({ body: Buffer.concat(chunks), isPacked: request.headers['content-encoding'] === 'gzip' })
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
})
process.on('message', () => void process.send?.(check()))
