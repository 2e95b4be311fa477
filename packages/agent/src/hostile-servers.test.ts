// Servers that do everything except what they should, for the tests and the benchmark of how little of it the host feels.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

/** What a connection does from its start on. */
type Behaviour = (socket: Socket) => void

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n'

/** Answers each request, as far as its end can be told from its length. */
function answering(answer: (socket: Socket) => void): Behaviour {
  return (socket) => {
    let left = 0
    let held = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      for (;;) {
        if (left === 0) {
          const end = held.indexOf('\r\n\r\n')
          if (end < 0) return
          left = Number(/content-length: (\d+)/i.exec(held.toString('latin1', 0, end))?.[1] ?? 0)
          held = held.subarray(end + 4)
        }
        if (held.length < left) return
        held = held.subarray(left)
        left = 0
        answer(socket)
      }
    })
  }
}

/** Goes on writing a piece whenever the last one is gone, or after a while. */
function without(end: string, everyMs?: number): (socket: Socket) => void {
  return (socket) => {
    const more = (): void => {
      if (socket.destroyed) return
      // A turn later: writes that succeed at once would hold up this process for as long as somebody reads.
      if (everyMs === undefined) socket.write(end, () => setImmediate(more))
      else {
        socket.write(end)
        setTimeout(more, everyMs).unref()
      }
    }
    more()
  }
}

/** By what is wrong with it. A request is never taken by any of them, unless it says so. */
export const HOSTILE: Readonly<Record<string, Behaviour>> = {
  'takes connections and says nothing': (socket) => void socket.resume(),
  'does not even read': (socket) => void socket.pause(),
  'sends a byte a second': answering((socket) => without('H', 1000)(socket)),
  'answers with success and a byte a second': answering((socket) => {
    socket.write(`${HEAD}content-length: 100000\r\n\r\n`)
    without('x', 1000)(socket)
  }),
  'answers 500': answering((socket) => void socket.write('HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n')),
  'answers 429 with a Retry-After of years': answering((socket) => void socket.write('HTTP/1.1 429 Slow\r\nretry-after: 999999999\r\ncontent-length: 0\r\n\r\n')),
  'answers 429 with a Retry-After that is none': answering((socket) => void socket.write('HTTP/1.1 429 Slow\r\nretry-after: -1e999\r\ncontent-length: 0\r\n\r\n')),
  'answers 302 to somewhere else': answering((socket) => void socket.write('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n')),
  'sends an endless body': answering((socket) => {
    socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`)
    without(`10000\r\n${'x'.repeat(65_536)}\r\n`)(socket)
  }),
  'sends endless headers': answering((socket) => {
    socket.write(HEAD)
    without(`x-${'y'.repeat(1000)}: z\r\n`)(socket)
  }),
  'says it will go on, for ever': answering(without('HTTP/1.1 100 Continue\r\n\r\n', 5)),
  'switches protocols': answering((socket) => void socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n')),
  'answers with garbage': answering((socket) => void socket.end(Buffer.from(Array.from({ length: 2000 }, (_, index) => (index * 7919) % 256)))),
  'ends the connection at once': (socket) => void socket.destroy(),
  'resets the connection in the middle of the body': answering((socket) => {
    socket.write(`${HEAD}content-length: 1000\r\n\r\nxyz`, () => socket.resetAndDestroy())
  }),
  'asks for a state that is none': answering((socket) => void socket.write('HTTP/1.1 503 No\r\nandon-control: 99999\r\ncontent-length: 4\r\n\r\nnone')),
}

/** Names of servers whose answer to a batch is success, whatever comes after it. */
export const TAKING: ReadonlySet<string> = new Set(['answers with success and a byte a second', 'sends an endless body', 'resets the connection in the middle of the body'])

export interface Hostile {
  readonly port: number
  /** Settles when at most so many connections are open. */
  atMost(connections: number): Promise<void>
  end(): Promise<void>
}

/** Such a server, on a port of its own until `end`. */
export async function startHostile(behave: Behaviour): Promise<Hostile> {
  const sockets = new Set<Socket>()
  let told: (() => void)[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      const waiting = told
      told = []
      for (const tell of waiting) tell()
    })
    behave(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    atMost: async (connections) => {
      // One that does not read does not see the end either.
      for (const socket of sockets) socket.resume()
      while (sockets.size > connections) await new Promise<void>((resolve) => told.push(resolve))
    },
    end: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
