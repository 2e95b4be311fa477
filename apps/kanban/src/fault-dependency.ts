// A stand-in for a mail service that the kanban depends on: it answers at once, or as late as it is told.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"accepted":true}'
const TIMEOUT = 10_000

/**
 * The service and the way to it, over HTTP on loopback. It speaks HTTP by hand: by node:http it would count as requests of the
 * kanban itself.
 */
export class MailService {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #delayMs: () => number
  #url = ''

  /** @param delayMs - asked at each request: milliseconds until the answer */
  constructor(delayMs: () => number) {
    this.#delayMs = delayMs
    this.#server = createServer((socket) => this.#serve(socket))
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#server.unref()
    const address = this.#server.address()
    this.#url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/mail`
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.unref()
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
    let held = ''
    socket.on('data', (chunk: Buffer) => {
      held += chunk.toString('latin1')
      // The only requests are GETs without a body, one after another.
      for (let end = held.indexOf('\r\n\r\n'); end >= 0; end = held.indexOf('\r\n\r\n')) {
        held = held.slice(end + 4)
        const delay = this.#delayMs()
        if (delay === 0) socket.write(ANSWER)
        else setTimeout(() => void (socket.writable && socket.write(ANSWER)), delay)
      }
    })
  }

  /** Has a mail sent; settles when the service has answered, or after ten seconds. */
  async send(): Promise<void> {
    try {
      await (await fetch(this.#url, { signal: AbortSignal.timeout(TIMEOUT) })).arrayBuffer()
    } catch {
      // A mail that was not sent is no reason to refuse a change of a card.
    }
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }
}
