// Answers for PostgreSQL with three rows, at once, in the process of whoever asks for it. It speaks as much of the protocol as
// pg needs. @see https://www.postgresql.org/docs/current/protocol-message-formats.html
import type { Socket } from 'node:net'

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff])
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
const ROWS = Buffer.concat([message('T', int16(2), column('id', 23), column('title', 25)), ROW, ROW, ROW, message('C', text('SELECT 3')), READY])
const PREPARED = Buffer.concat([message('1'), message('2'), ROWS])
const REFUSED = Buffer.concat([message('E', Buffer.from('SERROR\0C23505\0Mduplicate key value violates unique constraint\0DKey (id)=(7) already exists.\0\0')), READY])

/** Speaks with one client. A text with `refuse` in it is refused. */
export function speakPostgres(socket: Socket): void {
  socket.setNoDelay(true)
  let held: Buffer = Buffer.alloc(0)
  let isStarted = false
  let isRefused = false
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    for (;;) {
      const head = isStarted ? 1 : 0
      if (held.length < head + 4) return
      const length = held.readInt32BE(head) + head
      if (held.length < length) return
      const type = isStarted ? held.toString('latin1', 0, 1) : 'start'
      if (type === 'Q' || type === 'P') isRefused = held.subarray(0, length).includes('refuse')
      held = held.subarray(length)
      if (type === 'start') {
        isStarted = true
        socket.write(WELCOME)
      } else if (type === 'Q') socket.write(isRefused ? REFUSED : ROWS)
      else if (type === 'S') socket.write(isRefused ? REFUSED : PREPARED)
      else if (type === 'X') socket.end()
    }
  })
}
