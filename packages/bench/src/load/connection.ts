// A connection that sends one prepared request after another, with as little work of its own as can be.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

const NO_CONTENT = 204

/** The first answer in the bytes and where it ends; undefined when it has not all come. */
function answerIn(bytes: Buffer): (Answer & { readonly end: number }) | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const text = bytes.toString('latin1', 0, head)
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
  const length = status === NO_CONTENT ? 0 : Number(/^content-length: *(\d+)/im.exec(text)?.[1] ?? 0)
  const end = head + 4 + length
  return bytes.length < end ? undefined : { status, body: bytes.toString('utf8', head + 4, end), end }
}

/** The head of a POST. */
export function headOf(url: URL, headers: Readonly<Record<string, string>>, length: number): Buffer {
  const lines = Object.entries({ host: url.host, ...headers, 'content-length': String(length) }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

/** One request at a time. */
export class Connection {
  readonly #socket: Socket
  #held: Buffer = Buffer.alloc(0)
  #settle: { readonly answered: (answer: Answer) => void; readonly failed: (error: Error) => void } | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#heard(chunk))
    socket.on('error', (error) => this.#settle?.failed(error))
    socket.on('close', () => this.#settle?.failed(new Error('the connection was closed')))
  }

  static async open({ hostname, port }: URL): Promise<Connection> {
    const socket = connect(Number(port), hostname).setNoDelay(true)
    await once(socket, 'connect')
    return new Connection(socket)
  }

  #heard(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const answer = answerIn(this.#held)
    if (answer === undefined) return
    this.#held = this.#held.subarray(answer.end)
    this.#settle?.answered(answer)
  }

  /** Settles with the answer; the bytes must not change until then. @throws Error when the connection ends before */
  async send(head: Buffer, body: Uint8Array): Promise<Answer> {
    return await new Promise((answered, failed) => {
      this.#settle = { answered, failed }
      this.#socket.cork()
      this.#socket.write(head)
      this.#socket.write(body)
      this.#socket.uncork()
    })
  }

  close(): void {
    this.#settle = undefined
    this.#socket.destroy()
  }
}
