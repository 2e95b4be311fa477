// Answers for PostgreSQL at once, so that the application's core is what is saturated. It speaks as much of the protocol
// as pg needs. @see https://www.postgresql.org/docs/current/protocol-message-formats.html
import { createServer } from 'node:net'

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`)
const column = (name: string, type: number): Buffer => Buffer.concat([text(name), int32(0), int16(0), int32(type), int16(4), int32(-1), int16(0)])
const field = (value: string): Buffer => Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)])

const READY = message('Z', Buffer.from('I'))
const WELCOME = Buffer.concat([message('R', int32(0)), message('S', text('server_version'), text('18.0')), READY])
const ROW = message('D', int16(2), field('7'), field('Write the report'))
const ANSWER = Buffer.concat([
  message('1'),
  message('2'),
  message('T', int16(2), column('id', 23), column('title', 25)),
  ROW,
  ROW,
  ROW,
  message('C', text('SELECT 3')),
  READY,
])

const server = createServer((socket) => {
  socket.setNoDelay(true)
  let held: Buffer = Buffer.alloc(0)
  let isStarted = false
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
    for (;;) {
      const head = isStarted ? 1 : 0
      if (held.length < head + 4) return
      const length = held.readInt32BE(head) + head
      if (held.length < length) return
      const type = isStarted ? held.toString('latin1', 0, 1) : 'start'
      held = held.subarray(length)
      if (type === 'start') {
        isStarted = true
        socket.write(WELCOME)
      } else if (type === 'S') socket.write(ANSWER)
      else if (type === 'X') socket.end()
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
})
// It must not outlive who measures.
process.once('disconnect', () => process.exit())
