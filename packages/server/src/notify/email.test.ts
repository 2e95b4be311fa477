// Letters, to a server that speaks SMTP.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { systemClock } from '../runtime/clock.ts'
import { AddressGuard } from './address-guard.ts'
import type { OutMessage, Outcome, SendContext } from './channel.ts'
import { Email, type SmtpOptions } from './email.ts'
import { Secret } from './secret.ts'
import { alertOf, notificationOf, START } from './world.test.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

/** A server of letters; its replies may be changed by command, or by recipient. */
class Smtp {
  readonly letters: { readonly to: readonly string[]; readonly text: string }[] = []
  readonly commands: string[] = []
  readonly replies = new Map<string, string>()
  features: readonly string[] = []
  port = 0

  static async open(): Promise<Smtp> {
    const smtp = new Smtp()
    const server = createServer((socket) => smtp.#speak(socket))
    servers.push(server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    smtp.port = (server.address() as AddressInfo).port
    return smtp
  }

  #speak(socket: Socket): void {
    let unread = ''
    let letter: string[] | undefined
    let to: string[] = []
    const say = (line: string): void => void socket.write(`${line}\r\n`)
    const command = (line: string): void => {
      this.commands.push(line)
      const verb = line.slice(0, 4).toUpperCase()
      const recipient = /^RCPT TO:<([^>]+)>/i.exec(line)?.[1]
      const special = this.replies.get(recipient ?? verb)
      if (verb === 'MAIL') to = []
      if (special !== undefined) return say(special)
      if (recipient !== undefined) to.push(recipient)
      if (verb === 'EHLO') return say(['250-here', ...this.features.map((feature) => `250-${feature}`), '250 SIZE 1000000'].join('\r\n'))
      if (verb === 'DATA') {
        letter = []
        return say('354 go on')
      }
      if (verb === 'QUIT') {
        say('221 bye')
        return void socket.end()
      }
      say(verb === 'AUTH' ? '235 welcome' : verb === 'STAR' ? '502 not spoken' : '250 ok')
    }
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      unread += chunk.toString('latin1')
      for (let end = unread.indexOf('\r\n'); end !== -1; end = unread.indexOf('\r\n')) {
        const line = unread.slice(0, end)
        unread = unread.slice(end + 2)
        if (letter === undefined) command(line)
        else if (line === '.') {
          const reply = this.replies.get('.')
          if (reply === undefined) this.letters.push({ to, text: letter.join('\r\n') })
          letter = undefined
          say(reply ?? '250 taken')
        } else letter.push(line.startsWith('.') ? line.slice(1) : line)
      }
    })
    say('220 here')
  }
}

const guard = new AddressGuard(['127.0.0.1'])

function emailOf(smtp: Smtp, to: readonly string[], more: Partial<SmtpOptions> = {}): Email {
  return new Email(
    {
      name: 'team.email',
      receiver: 'team',
      sendResolved: true,
      to,
      smtp: { host: '127.0.0.1', port: smtp.port, tls: 'none', verify: true, user: undefined, password: undefined, from: 'Andon <andon@example.com>', hello: 'andon.example.com', ...more },
      headers: {},
      externalUrl: 'https://andon.example.com',
    },
    guard,
    systemClock,
  )
}

const contextOf = (more: Partial<SendContext> = {}): SendContext => ({ memory: undefined, progress: undefined, isReopened: false, othersFire: false, pace: () => Promise.resolve(), picture: () => Promise.resolve(undefined), now: START, signal: new AbortController().signal, ...more })

function messageOf(summary = 'disk is full'): OutMessage {
  const alert = { ...alertOf('a', 'firing', START), annotations: { summary } }
  return { id: 'n1', notification: notificationOf('n1', [alert], START, { incident: 'inc-7' }), unannounced: new Set(), earlier: [], earlierLeftOut: 0, insteadOf: '' }
}

const header = (letter: string, name: string): string => (new RegExp(`^${name}: ((?:.*)(?:\r\n[ \t].*)*)`, 'im').exec(letter)?.[1] ?? '').replaceAll(/\r\n[ \t]+/g, ' ')

test('a letter has a text and a page, belongs to a thread, and says that a program wrote it', async () => {
  const smtp = await Smtp.open()
  const email = emailOf(smtp, ['On Call <oncall@example.com>'])
  const told = await email.send(messageOf('disk <b>is</b>\r\nBcc: x@y.z full'), contextOf({ picture: () => Promise.resolve({ png: Buffer.from('PNG'), alt: 'disk', url: undefined }) }))
  const [letter] = smtp.letters
  const text = letter?.text ?? ''
  assert.deepEqual(letter?.to, ['oncall@example.com'])
  assert.equal(header(text, 'Subject'), '[FIRING] disk <b>is</b>')
  assert.equal(header(text, 'Auto-Submitted'), 'auto-generated')
  assert.equal(header(text, 'X-Andon-Incident'), 'inc-7')
  assert.equal(header(text, 'Message-ID'), '<n1@example.com>')
  assert.match(header(text, 'List-Id'), /<alerts\.andon\.example\.com>/)
  assert.match(header(text, 'References'), /^<alert-[\da-f]{16}-2026-01-01@example\.com>$/)
  assert.equal(header(text, 'In-Reply-To'), '')
  assert.equal(header(text, 'Bcc'), '')
  const [plain, page] = [text.indexOf('text/plain'), text.indexOf('text/html')]
  assert.ok(plain > 0 && page > plain && text.includes('multipart/alternative') && text.includes('multipart/related'))
  assert.ok(text.includes('cid:chart-n1@andon') && text.includes('<chart-n1@andon>') && !text.includes('<b>is</b></h1>'))
  assert.deepEqual(told, { state: 'delivered', memory: { thread: header(text, 'References') } })
  // A day later it is still the same thread.
  await email.send({ ...messageOf(), id: 'n2' }, contextOf({ memory: Reflect.get(told, 'memory'), now: START + 86_400_000 }))
  assert.equal(header(smtp.letters[1]?.text ?? '', 'In-Reply-To'), header(text, 'References'))
})

test('who was told to come again is told again, and nobody else; who does not exist is not', async () => {
  const smtp = await Smtp.open()
  smtp.replies.set('busy@example.com', '451 4.3.0 try again')
  smtp.replies.set('gone@example.com', '550 5.1.1 no such user')
  const email = emailOf(smtp, ['here@example.com', 'busy@example.com', 'gone@example.com'])
  const first = await email.send(messageOf(), contextOf())
  assert.equal(first.state, 'retry')
  assert.match('detail' in first ? first.detail : '', /451[\s\S]*550|550[\s\S]*451/)
  smtp.replies.delete('busy@example.com')
  const second = await email.send(messageOf(), contextOf({ progress: Reflect.get(first, 'progress') }))
  assert.equal(second.state, 'delivered')
  assert.match(Reflect.get(second, 'detail') as string, /gone@example\.com/)
  assert.deepEqual(smtp.letters.map(({ to }) => to), [['here@example.com'], ['busy@example.com']])
  const none = await emailOf(smtp, ['gone@example.com']).send(messageOf(), contextOf())
  assert.equal(none.state, 'refused')
  smtp.replies.set('busy@example.com', '450 4.7.1 later')
  assert.equal((await emailOf(smtp, ['busy@example.com']).send(messageOf(), contextOf())).state, 'retry')
})

test('a server without STARTTLS gets no letter unless it may; a wrong password disables the channel', async () => {
  const smtp = await Smtp.open()
  const states: Outcome['state'][] = []
  states.push((await emailOf(smtp, ['a@example.com'], { tls: 'starttls' }).send(messageOf(), contextOf())).state)
  assert.equal(smtp.letters.length, 0)
  smtp.features = ['AUTH PLAIN LOGIN']
  const login = { user: 'u', password: new Secret({ text: 'right' }) }
  states.push((await emailOf(smtp, ['a@example.com'], login).send(messageOf(), contextOf())).state)
  assert.ok(smtp.commands.includes(`AUTH PLAIN ${Buffer.from('\0u\0right').toString('base64')}`))
  smtp.replies.set('AUTH', '535 5.7.8 no')
  states.push((await emailOf(smtp, ['a@example.com'], login).send(messageOf(), contextOf())).state)
  smtp.replies.set('AUTH', '454 4.7.0 later')
  states.push((await emailOf(smtp, ['a@example.com'], login).send(messageOf(), contextOf())).state)
  smtp.replies.set('.', '554 5.6.0 not such a letter')
  states.push((await emailOf(smtp, ['a@example.com']).send(messageOf(), contextOf())).state)
  smtp.replies.set('.', '452 4.3.1 no room')
  states.push((await emailOf(smtp, ['a@example.com']).send(messageOf(), contextOf())).state)
  assert.deepEqual(states, ['disabled', 'delivered', 'disabled', 'retry', 'refused', 'retry'])
})
