// Keeps a number of requests under way over as many connections, with as little work as possible. Meanwhile its process never sleeps:
// who writes to one that does pays for its waking, in a virtual machine 10 µs and more, and would pay more often the slower it is itself.
import { once } from 'node:events'
import { connect } from 'node:net'

export interface Load {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

const END = Buffer.from('\r\n\r\n')

/** The length of the first whole answer in the bytes; 0 when it has not all come. */
function answerLength(bytes: Buffer): number {
  const head = bytes.indexOf(END)
  if (head < 0) return 0
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1]
  const whole = head + 4 + Number(length ?? 0)
  return bytes.length >= whole ? whole : 0
}

async function drive(port: number, until: number, latencies: number[]): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.setNoDelay(true)
  await once(socket, 'connect')
  let begun = 0
  const send = (): void => {
    begun = performance.now()
    socket.write('GET /boards/7 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load\r\n\r\n')
  }
  let held: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk])
    const length = answerLength(held)
    if (length === 0) return
    if (!held.toString('latin1', 0, 15).includes(' 200')) throw new Error(held.toString('latin1', 0, 200))
    held = held.subarray(length)
    latencies.push(performance.now() - begun)
    if (performance.now() < until) send()
    else socket.end()
  })
  send()
  await once(socket, 'close')
}

export async function runLoad(port: number, connections: number, seconds: number): Promise<Load> {
  const latencies: number[] = []
  const began = performance.now()
  let isLoading = true
  const stayAwake = (): void => void (isLoading && setImmediate(stayAwake))
  stayAwake()
  await Promise.all(Array.from({ length: connections }, () => drive(port, began + seconds * 1000, latencies)))
  isLoading = false
  const took = (performance.now() - began) / 1000
  const sorted = latencies.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
  return { requests: latencies.length, seconds: took, p50: at(0.5), p99: at(0.99) }
}
