// A server of letters that speaks SMTP (RFC 5321): one for many sequences, told apart by the recipient.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type Desk, spellsOf } from './taken.ts'

/** The text of a letter, of its first part that is plain. */
export function plainTextOf(letter: string): string {
  const parts = letter.split(/\r?\n--[^\r\n]+\r?\n/)
  const part = parts.find((each) => /^content-type: text\/plain/im.test(each.split(/\r?\n\r?\n/, 1)[0] ?? '')) ?? letter
  const [head = '', ...body] = part.split(/\r?\n\r?\n/)
  const text = body.join('\n\n')
  const encoding = /^content-transfer-encoding: (\S+)/im.exec(head)?.[1]?.toLowerCase()
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString('utf8')
  if (encoding !== 'quoted-printable') return text
  return Buffer.from(text.replaceAll(/=\r?\n/g, '').replaceAll(/=([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))), 'latin1').toString('utf8')
}

/** One connection. */
class Session {
  readonly #socket: Socket
  readonly #desk: Desk
  #unread = ''
  #sequence = ''
  #letter: string[] | undefined
  #hasSender = false
  #hasRecipient = false

  constructor(socket: Socket, desk: Desk) {
    this.#socket = socket
    this.#desk = desk
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')))
    this.#say('220 fake ESMTP')
  }

  #say(line: string): void {
    if (this.#socket.writable) this.#socket.write(`${line}\r\n`)
  }

  #read(text: string): void {
    this.#unread += text
    for (;;) {
      const end = this.#unread.indexOf('\r\n')
      if (end === -1) return
      const line = this.#unread.slice(0, end)
      this.#unread = this.#unread.slice(end + 2)
      if (this.#letter === undefined) this.#command(line)
      else if (line === '.') this.#taken(this.#letter.join('\r\n'))
      else this.#letter.push(line.startsWith('.') ? line.slice(1) : line)
    }
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    if (verb === 'EHLO' || verb === 'HELO') return this.#say('250-fake\r\n250-8BITMIME\r\n250 SIZE 10485760')
    if (verb === 'MAIL') {
      this.#hasSender = /^MAIL FROM:<[^>]+>/i.test(line)
      return this.#say(this.#hasSender ? '250 ok' : '501 syntax')
    }
    if (verb === 'RCPT') return this.#recipient(line)
    if (verb === 'DATA') {
      if (!this.#hasSender || !this.#hasRecipient) return this.#say('503 bad sequence')
      this.#letter = []
      return this.#say('354 go on')
    }
    if (verb === 'RSET' || verb === 'NOOP') return this.#say('250 ok')
    if (verb === 'QUIT') {
      this.#say('221 bye')
      return void this.#socket.end()
    }
    this.#say('502 not spoken')
  }

  #recipient(line: string): void {
    const sequence = /^RCPT TO:<([^@>]+)@/i.exec(line)?.[1]
    if (sequence === undefined) return this.#say('501 syntax')
    const mode = this.#desk.mode(sequence, 'mail')
    if (mode === 'down') return void this.#socket.destroy()
    if (mode === 'limited') return this.#say('450 4.7.1 too many letters')
    if (mode === 'broken') return this.#say('451 4.3.0 try again later')
    this.#sequence = sequence
    this.#hasRecipient = true
    this.#say('250 ok')
  }

  #taken(letter: string): void {
    this.#letter = undefined
    const sequence = this.#sequence
    const mode = this.#desk.mode(sequence, 'mail')
    const id = /^message-id: <([^@>]+)@/im.exec(letter)?.[1] ?? ''
    for (const header of ['Auto-Submitted: auto-generated', 'List-Id:', 'References: <alert-', 'X-Andon-Incident:', 'Content-Type: multipart/']) if (!letter.toLowerCase().includes(header.toLowerCase())) this.#desk.fault(`SMTP: a letter without ${header}`)
    this.#desk.take({ sequence, channel: 'mail', id, spells: spellsOf(plainTextOf(letter)) })
    // Taken, and nobody hears of it.
    if (mode === 'half' || mode === 'down') return void this.#socket.destroy()
    if (mode === 'cut') return void this.#socket.end('25')
    if (mode === 'slow' || mode === 'late') return void setTimeout(() => this.#say('250 taken'), mode === 'slow' ? 120 : 4000).unref()
    this.#say('250 taken')
  }
}

/** Owns a port from `open` to `close`. */
export class SmtpReceiver {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #port = 0

  private constructor(desk: Desk) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      return new Session(socket, desk)
    })
  }

  static async open(desk: Desk): Promise<SmtpReceiver> {
    const receiver = new SmtpReceiver(desk)
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    const address = receiver.#server.address()
    receiver.#port = typeof address === 'object' && address !== null ? address.port : 0
    return receiver
  }

  get port(): number {
    return this.#port
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
