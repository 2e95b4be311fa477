// Slack, PagerDuty and a webhook, as they answer; one server for many sequences, told apart by the path.
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Desk, type Mode, spellsOf, type ToldSpell } from './taken.ts'

const json = (answer: object): Answer => ({ status: 200, body: JSON.stringify(answer), headers: { 'content-type': 'application/json' } })

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const SLOW_MS = 120
/** Longer than anybody waits. */
const LATE_MS = 1500

const of = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined)
const listOf = (value: unknown, key: string): readonly unknown[] => {
  const found = of(value, key)
  return Array.isArray(found) ? found : []
}
const textOf = (value: unknown, key: string): string => {
  const found = of(value, key)
  return typeof found === 'string' ? found : ''
}

const isWithin = (text: string, least: number, most: number): boolean => text.length >= least && text.length <= most

/** Whether a block is one that Slack takes. */
function isFit(block: unknown): boolean {
  const text = textOf(of(block, 'text'), 'text')
  const elements = listOf(block, 'elements')
  const fields = listOf(block, 'fields')
  switch (textOf(block, 'type')) {
    case 'header':
      return isWithin(text, 1, 150)
    case 'section':
      return isWithin(text, fields.length > 0 ? 0 : 1, 3000) && fields.length <= 10 && fields.every((field) => isWithin(textOf(field, 'text'), 1, 2000))
    case 'actions':
      return elements.length > 0 && elements.length <= 25 && elements.every((each) => isWithin(textOf(each, 'url'), 0, 3000) && isWithin(textOf(of(each, 'text'), 'text'), 1, 75))
    case 'context':
      return elements.length > 0 && elements.length <= 10
    case 'image':
      return isWithin(textOf(block, 'image_url'), 1, 3000) && isWithin(textOf(block, 'alt_text'), 1, 2000)
    default:
      return false
  }
}

/** What is wrong with the body of a message of Slack; '' for nothing. */
export function slackProblem(body: unknown): string {
  const groups = [listOf(body, 'blocks'), ...listOf(body, 'attachments').map((attachment) => listOf(attachment, 'blocks'))]
  if (textOf(body, 'text') === '' && groups.every((blocks) => blocks.length === 0)) return 'no_text'
  if (JSON.stringify(body).length > 40_000) return 'msg_too_long'
  return groups.every((blocks) => blocks.length <= 50 && blocks.every(isFit)) ? '' : 'invalid_blocks'
}

/** All texts of a message of Slack, in the order in which they are read. */
function slackTexts(body: unknown): string {
  const blocks = [...listOf(body, 'blocks'), ...listOf(body, 'attachments').flatMap((attachment) => listOf(attachment, 'blocks'))]
  const texts = blocks.map((block) => textOf(of(block, 'text'), 'text'))
  return blocks.length === 0 ? textOf(body, 'text') : texts.join('\n')
}

/** PagerDuty's incidents of one key. */
interface PagerIncident {
  open: boolean
  readonly spells: Map<string, boolean>
}

/** Owns a port from `open` to `close`. */
export class HttpReceivers {
  readonly #desk: Desk
  readonly #secret: string
  #server: Server
  #port = 0
  readonly #slackMessages = new Map<string, string>()
  readonly #pager = new Map<string, PagerIncident>()
  #ts = 0

  private constructor(desk: Desk, secret: string) {
    this.#desk = desk
    this.#secret = secret
    this.#server = this.#made()
  }

  /** @param secret - by which the webhook is signed, `whsec_…` */
  static async open(desk: Desk, secret: string): Promise<HttpReceivers> {
    const receivers = new HttpReceivers(desk, secret)
    await receivers.#listen(0)
    return receivers
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  #made(): Server {
    return createServer((request, answer) => {
      this.#serve(request, answer).catch((error: unknown) => {
        // The other end was killed in the middle of what it said.
        if (!request.destroyed) this.#desk.fault(`a fake failed: ${String(error)}`)
        answer.destroy()
      })
    })
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Nobody listens for a while. */
  async restartAfter(wait: Promise<unknown>): Promise<void> {
    await this.close()
    await wait
    this.#server = this.#made()
    await this.#listen(this.#port)
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, sequence = '', channel = '', ...rest] = (request.url ?? '').split('/')
    const mode = this.#desk.mode(sequence, channel)
    if (mode === 'down') return void request.socket.destroy()
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    if (mode === 'limited') return send(response, limited(channel))
    if (mode === 'broken') return send(response, { status: 503, body: 'upstream connect error' })
    const answer = this.#take({ sequence, channel, method: rest.join('/'), body, request })
    await behave(mode, response, answer)
  }

  #take({ sequence, channel, method, body, request }: { readonly sequence: string; readonly channel: string; readonly method: string; readonly body: string; readonly request: IncomingMessage }): Answer {
    const parsed: unknown = JSON.parse(body)
    if (channel === 'slack') return this.#slackWebhook(sequence, parsed)
    if (channel === 'bot') return this.#slackBot(sequence, method, parsed)
    if (channel === 'pager') return this.#pagerDuty(sequence, parsed)
    return this.#webhook(sequence, channel, { body, parsed, request })
  }

  #slackWebhook(sequence: string, body: unknown): Answer {
    const problem = slackProblem(body)
    if (problem !== '') {
      this.#desk.fault(`Slack: ${problem}`)
      return { status: 400, body: problem }
    }
    this.#desk.take({ sequence, channel: 'slack', id: '', spells: spellsOf(slackTexts(body)) })
    return { status: 200, body: 'ok' }
  }

  #slackBot(sequence: string, method: string, body: unknown): Answer {
    const problem = slackProblem(body)
    if (problem !== '') {
      this.#desk.fault(`Slack's ${method}: ${problem}`)
      return json({ ok: false, error: problem })
    }
    const thread = textOf(body, 'thread_ts')
    const ts = method === 'chat.update' ? textOf(body, 'ts') : `${1_700_000_000 + (this.#ts += 1)}.000100`
    if ((method === 'chat.update' && !this.#slackMessages.has(`${sequence} ${ts}`)) || (thread !== '' && !this.#slackMessages.has(`${sequence} ${thread}`))) {
      this.#desk.fault(`Slack's ${method}: a message that there is not`)
      return json({ ok: false, error: 'message_not_found' })
    }
    const text = slackTexts(body)
    if (thread === '') {
      this.#slackMessages.set(`${sequence} ${ts}`, text)
      this.#desk.take({ sequence, channel: 'bot', id: '', spells: spellsOf(text) })
    }
    return json({ ok: true, channel: 'C1', ts, message: { text } })
  }

  #pagerDuty(sequence: string, body: unknown): Answer {
    const action = textOf(body, 'event_action')
    const key = textOf(body, 'dedup_key')
    const payload = of(body, 'payload')
    const summary = textOf(payload, 'summary')
    const isTrigger = action === 'trigger'
    const isWrong = !['trigger', 'resolve'].includes(action) || textOf(body, 'routing_key').length !== 32 || key === '' || key.length > 255 || (isTrigger && (summary === '' || summary.length > 1024 || textOf(payload, 'source') === '' || !['critical', 'error', 'warning', 'info'].includes(textOf(payload, 'severity'))))
    if (isWrong) {
      this.#desk.fault(`PagerDuty: ${JSON.stringify(body).slice(0, 300)}`)
      return { status: 400, body: JSON.stringify({ status: 'invalid event', message: 'Event object is invalid', errors: [] }) }
    }
    const at = `${sequence} ${key}`
    const incident = this.#pager.get(at) ?? { open: false, spells: new Map<string, boolean>() }
    this.#pager.set(at, incident)
    let spells: ToldSpell[]
    if (isTrigger) {
      incident.open = true
      spells = spellsOf(listOf(of(payload, 'custom_details'), 'alerts').join('\n'))
      for (const { spell, state } of spells) incident.spells.set(spell, state === 'firing')
    } else {
      // Nothing was triggered by this key: PagerDuty would drop it without a word.
      if (incident.spells.size === 0) this.#desk.fault(`PagerDuty: an orphan resolve of ${at}`)
      spells = [...incident.spells].filter(([, fires]) => fires).map(([spell]) => ({ spell, state: 'resolved' }))
      for (const { spell } of spells) incident.spells.set(spell, false)
      incident.open = false
    }
    this.#desk.take({ sequence, channel: 'pager', id: '', spells })
    return { status: 202, body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: key }) }
  }

  /** The keys of incidents that are open. */
  openIncidents(sequence: string): readonly string[] {
    return [...this.#pager].filter(([key, { open }]) => open && key.startsWith(`${sequence} `)).map(([key]) => key)
  }

  #webhook(sequence: string, channel: string, { body, parsed, request }: { readonly body: string; readonly parsed: unknown; readonly request: IncomingMessage }): Answer {
    const id = String(request.headers['webhook-id'])
    const signed = `v1,${createHmac('sha256', Buffer.from(this.#secret.slice(6), 'base64')).update(`${id}.${String(request.headers['webhook-timestamp'])}.${body}`).digest('base64')}`
    if (request.headers['webhook-signature'] !== signed || request.headers['idempotency-key'] !== id) this.#desk.fault('webhook: a signature or a key that does not fit')
    if (textOf(parsed, 'version') !== '4' || !['firing', 'resolved'].includes(textOf(parsed, 'status'))) this.#desk.fault(`webhook: ${body.slice(0, 200)}`)
    const untold = new Set(listOf(parsed, 'unannounced'))
    const spells = listOf(parsed, 'alerts').map((alert): ToldSpell => {
      const isUntold = untold.has(of(alert, 'fingerprint'))
      return { spell: spellName(alert), state: textOf(alert, 'status') === 'firing' ? 'firing' : isUntold ? 'fired and resolved' : 'resolved' }
    })
    const earlier = listOf(parsed, 'earlier').map((alert): ToldSpell => ({ spell: spellName(alert), state: 'fired and resolved' }))
    this.#desk.take({ sequence, channel, id, spells: [...earlier, ...spells] })
    return { status: 200, body: '' }
  }
}

const spellName = (alert: unknown): string => textOf(of(alert, 'annotations'), 'summary').replace(/^Spell /, '')

function limited(channel: string): Answer {
  return channel === 'bot'
    ? { status: 429, body: JSON.stringify({ ok: false, error: 'ratelimited' }), headers: { 'retry-after': '2', 'content-type': 'application/json' } }
    : { status: 429, body: '{"retry_after":2,"ok":false,"error":"rate_limited"}', headers: { 'retry-after': '2' } }
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, headers).end(body)
}

/** It was taken; the answer comes as the receiver behaves. */
async function behave(mode: Mode, response: ServerResponse, answer: Answer): Promise<void> {
  if (mode === 'half') return void response.destroy()
  if (mode === 'cut') {
    // The head of an answer and a part of its body, then nothing more.
    response.socket?.end(`HTTP/1.1 ${answer.status} OK\r\ncontent-length: ${answer.body.length + 10}\r\n\r\n${answer.body}`)
    return
  }
  if (mode === 'slow' || mode === 'late') await new Promise((resolve) => setTimeout(resolve, mode === 'slow' ? SLOW_MS : LATE_MS))
  if (!response.destroyed) send(response, answer)
}
