// What goes over the wire, to servers that answer as Slack, PagerDuty and others do.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import type { Notification, NotifiedAlert } from '@andon/model'
import { FakeClock, systemClock } from '../runtime/clock.ts'
import { AddressGuard } from './address-guard.ts'
import type { Channel, OutMessage, Outcome, Picture, SendContext } from './channel.ts'
import { OutboundHttp } from './http.ts'
import { dedupKeyOf, PagerDuty, PAGERDUTY_LIMITS } from './pagerduty.ts'
import { Secret } from './secret.ts'
import { slackBody, SLACK_LIMITS } from './slack-blocks.ts'
import { SlackBot } from './slack-bot.ts'
import { SlackWebhook } from './slack-webhook.ts'
import { signatureOf, Webhook } from './webhook.ts'
import { factsOf, linksOf, type MessageLinks, titleOf } from './words.ts'
import { alertOf, notificationOf, START } from './world.test.ts'

/** What a receiver is sent is looked at as it is. */
type Json = ReturnType<typeof JSON.parse>

interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, Json>
  readonly text: string
}
type Answer = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>]

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
})

/** A receiver that notes what it is asked, and answers what it is told to. */
async function receiver(answers: readonly Answer[]): Promise<{ readonly url: string; readonly asked: Asked[] }> {
  const asked: Asked[] = []
  const left = [...answers]
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      asked.push({ path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) as Record<string, Json> })
      const [status, body, headers = {}] = left.shift() ?? [200, 'ok']
      response.writeHead(status, headers).end(body)
    })
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

const http = new OutboundHttp(new AddressGuard(['127.0.0.1']), systemClock)
const secret = (text: string): Secret => new Secret({ text })
const PICTURE: Picture = { png: Buffer.from('png'), alt: 'a metric', url: 'https://andon.example.com/api/charts/1.png' }

const contextOf = (more: Partial<SendContext> = {}): SendContext => ({
  memory: undefined,
  progress: undefined,
  isReopened: false,
  othersFire: false,
  pace: () => Promise.resolve(),
  picture: () => Promise.resolve(undefined),
  now: START,
  signal: new AbortController().signal,
  ...more,
})

function messageOf(status: 'firing' | 'resolved', more: Partial<OutMessage> = {}): OutMessage {
  const alert = alertOf('a', status, START, status === 'resolved' ? START + 312_000 : undefined, { service: 'shop' })
  const told = { ...alert, annotations: { summary: 'p95 board.load 812 ms', threshold: '500', runbook_url: 'https://runbooks/slow' } }
  return { id: 'n1', notification: notificationOf('n1', [told], START, { incident: 'inc-7' }), unannounced: new Set(), earlier: [], earlierLeftOut: 0, insteadOf: '', ...more }
}

const base = { name: 'team.x', receiver: 'team', sendResolved: true, externalUrl: 'https://andon.example.com' }

test('Slack by webhook: blocks within an attachment of the colour of its severity; only 200 and "ok" is taken', async () => {
  const { url, asked } = await receiver([[200, 'ok'], [200, '<html>'], [429, '{"retry_after":7,"ok":false,"error":"rate_limited"}', { 'retry-after': '30' }], [500, 'error'], [403, 'invalid_token'], [404, 'no_service'], [410, 'channel_is_archived'], [400, 'invalid_blocks'], [400, 'invalid_payload']])
  const channel = new SlackWebhook({ ...base, url: secret(`${url}/services/T/B/X`), channel: undefined }, http)
  const outcomes: Outcome[] = []
  for (let index = 0; index < 8; index += 1) outcomes.push(await channel.send(messageOf('firing'), contextOf({ picture: () => Promise.resolve(PICTURE) })))
  outcomes.push(await channel.send(messageOf('firing'), contextOf({ progress: { plain: true } })))
  assert.deepEqual(outcomes.map(({ state }) => state), ['delivered', 'retry', 'retry', 'retry', 'disabled', 'disabled', 'disabled', 'retry', 'refused'])
  assert.equal(Reflect.get(outcomes[2] ?? {}, 'afterMs'), 30_000)
  assert.deepEqual(Reflect.get(outcomes[7] ?? {}, 'progress'), { plain: true })
  const body = asked[0]?.body ?? {}
  assert.equal(body['text'], '[FIRING] p95 board.load 812 ms')
  assert.deepEqual(body['blocks'], [{ type: 'header', text: { type: 'plain_text', text: '[FIRING] p95 board.load 812 ms', emoji: false } }])
  const [attachment] = body['attachments'] as [{ color: string; blocks: Record<string, Json>[] }]
  assert.equal(attachment.color, '#d92d20')
  assert.deepEqual(attachment.blocks.map(({ type }) => type), ['section', 'section', 'image', 'actions', 'context'])
  assert.deepEqual(attachment.blocks[0]?.['fields'].map(({ text }: { text: string }) => text), ['*Service*\nshop', '*Severity*\ncritical', '*Since*\n2026-01-01 00:00:00 UTC', '*Value*\n9 (threshold 500)', '*Incident*\ninc-7'])
  assert.deepEqual(attachment.blocks[3]?.['elements'].map(({ url: link }: { url: string }) => link), ['https://andon.example.com/incidents/inc-7?do=acknowledge', 'https://andon.example.com/silences?new=1&duration=1h&matcher=service%3D%22shop%22', 'https://andon.example.com/incidents/inc-7', 'https://runbooks/slow'])
  assert.deepEqual(Object.keys(asked[8]?.body ?? {}), ['text', 'unfurl_links', 'unfurl_media'])
  assert.ok(!channel.destination.includes('services') && !channel.target.includes('http'))
})

test('Slack by a bot: an escalation is a message of its own, because an edit calls nobody', async () => {
  const { url, asked } = await receiver([[200, '{"ok":true,"channel":"C1","ts":"2.1"}']])
  const channel: Channel = new SlackBot({ ...base, token: secret('xoxb-1'), channel: '#ops', thread: true, apiUrl: url }, http)
  const message = messageOf('firing')
  const again = { ...message, notification: { ...message.notification, reason: 'escalation' as const } }
  assert.deepEqual(await channel.send(again, contextOf({ memory: { channel: 'C1', ts: '1.1' } })), { state: 'delivered', memory: { channel: 'C1', ts: '2.1' } })
  assert.deepEqual(asked.map(({ path }) => path), ['/chat.postMessage'])
})

test('Slack by a bot: one message that is edited, what happened in its thread, and posted anew when it is gone', async () => {
  const { url, asked } = await receiver([
    [200, '{"ok":true,"channel":"C1","ts":"1.1"}'],
    [200, '{"ok":true,"channel":"C1","ts":"1.1"}'],
    [200, '{"ok":true,"channel":"C1","ts":"1.2"}'],
    [200, '{"ok":true,"channel":"C1","ts":"1.1"}'],
    [429, '', { 'retry-after': '3' }],
    [200, '{"ok":true,"channel":"C1","ts":"1.3"}'],
    [200, '{"ok":false,"error":"message_not_found"}'],
    [200, '{"ok":true,"channel":"C1","ts":"2.1"}'],
    [200, '{"ok":false,"error":"invalid_auth"}'],
    [200, '{"ok":false,"error":"internal_error"}'],
  ])
  const channel: Channel = new SlackBot({ ...base, token: secret('xoxb-1'), channel: '#ops', thread: true, apiUrl: url }, http)
  const posted = await channel.send(messageOf('firing'), contextOf())
  const memory = { channel: 'C1', ts: '1.1' }
  assert.deepEqual(posted, { state: 'delivered', memory })
  assert.deepEqual(await channel.send(messageOf('resolved'), contextOf({ memory })), { state: 'delivered', memory })
  assert.deepEqual(asked.map(({ path }) => path), ['/chat.postMessage', '/chat.update', '/chat.postMessage'])
  assert.equal(asked[0]?.headers.authorization, 'Bearer xoxb-1')
  assert.deepEqual([asked[1]?.body['ts'], asked[1]?.body['text'], asked[2]?.body['thread_ts'], asked[2]?.body['reply_broadcast']], ['1.1', '[RESOLVED] p95 board.load 812 ms', '1.1', undefined])
  // The thread waits, and the message is not edited again for it.
  const half = await channel.send(messageOf('firing'), contextOf({ memory, isReopened: true }))
  assert.deepEqual([half.state, Reflect.get(half, 'afterMs')], ['retry', 3000])
  await channel.send(messageOf('firing'), contextOf({ memory, isReopened: true, progress: Reflect.get(half, 'progress') }))
  assert.deepEqual([asked[5]?.path, asked[5]?.body['reply_broadcast']], ['/chat.postMessage', true])
  assert.deepEqual(await channel.send(messageOf('resolved'), contextOf({ memory })), { state: 'delivered', memory: { channel: 'C1', ts: '2.1' } })
  assert.equal((await channel.send(messageOf('firing'), contextOf())).state, 'disabled')
  assert.equal((await channel.send(messageOf('firing'), contextOf())).state, 'retry')
})

test('PagerDuty: one incident, triggered before it is resolved; what is refused for its key disables the channel', async () => {
  const { url, asked } = await receiver([[202, '{}'], [202, '{}'], [202, '{}'], [503, ''], [202, '{}'], [202, '{}'], [429, '', { 'retry-after': '5' }], [400, '{"status":"invalid event","errors":["Length of \'routing_key\' is incorrect"]}'], [400, '{"status":"invalid event","errors":["severity"]}']])
  const channel = new PagerDuty({ ...base, routingKey: secret('k'.repeat(32)), url, severity: undefined }, http)
  const told = await channel.send(messageOf('firing'), contextOf({ picture: () => Promise.resolve(PICTURE) }))
  assert.deepEqual(told, { state: 'delivered', memory: { key: 'inc-7' } })
  const { payload, ...event } = asked[0]?.body ?? {}
  assert.deepEqual(event, {
    routing_key: 'k'.repeat(32),
    event_action: 'trigger',
    dedup_key: 'inc-7',
    client: 'Andon',
    client_url: 'https://andon.example.com/incidents/inc-7',
    links: [{ href: 'https://andon.example.com/incidents/inc-7', text: 'Andon' }, { href: 'https://runbooks/slow', text: 'Runbook' }],
    images: [{ src: PICTURE.url, alt: PICTURE.alt, href: 'https://andon.example.com/incidents/inc-7' }],
  })
  assert.deepEqual([payload.summary, payload.source, payload.severity, payload.timestamp, payload.component, payload.class], ['[FIRING] p95 board.load 812 ms', 'a', 'critical', '2026-01-01T00:00:00.000Z', 'shop', 'High'])
  await channel.send(messageOf('resolved'), contextOf({ memory: { key: 'inc-7' } }))
  assert.deepEqual(asked[1]?.body, { routing_key: 'k'.repeat(32), event_action: 'resolve', dedup_key: 'inc-7' })
  const untold = messageOf('resolved', { unannounced: new Set(['a']) })
  const half = await channel.send(untold, contextOf())
  assert.deepEqual([half.state, Reflect.get(half, 'progress')], ['retry', { triggered: true }])
  await channel.send(untold, contextOf({ progress: Reflect.get(half, 'progress') }))
  assert.deepEqual(asked.slice(2, 5).map(({ body }) => body['event_action']), ['trigger', 'resolve', 'resolve'])
  // Another group of the incident still fires: it is not resolved.
  await channel.send(messageOf('resolved'), contextOf({ othersFire: true }))
  assert.equal(asked[5]?.body['event_action'], 'trigger')
  assert.equal(Reflect.get(await channel.send(messageOf('firing'), contextOf()), 'afterMs'), 5000)
  assert.equal((await channel.send(messageOf('firing'), contextOf())).state, 'disabled')
  assert.equal((await channel.send(messageOf('firing'), contextOf())).state, 'refused')
  const long = messageOf('firing')
  const key = dedupKeyOf({ notification: { ...long.notification, incident: undefined, groupKey: 'g'.repeat(1000) } })
  assert.match(key, /^[\da-f]{64}$/)
})

test('an event that is too large for PagerDuty goes without its details', async () => {
  const { url, asked } = await receiver([[202, '{}']])
  const channel = new PagerDuty({ ...base, routingKey: secret('k'.repeat(32)), url, severity: undefined }, http)
  const alerts = Array.from({ length: 400 }, (_, index) => ({ ...alertOf(`a${index}`, 'firing', START), annotations: { summary: 'x'.repeat(3000) } }))
  await channel.send({ ...messageOf('firing'), notification: notificationOf('n', alerts, START) }, contextOf())
  assert.ok(Buffer.byteLength(asked[0]?.text ?? '') <= PAGERDUTY_LIMITS.event)
  assert.match(asked[0]?.body['payload'].custom_details.error, /left out/)
  assert.equal(asked[0]?.body['payload'].summary.length, 1024)
})

test("a webhook gets Alertmanager's body, version 4, signed, with a key for repetitions", async () => {
  const { url, asked } = await receiver([[204, ''], [408, ''], [302, '', { location: 'http://127.0.0.1:1/' }], [404, 'what?'], [410, '']])
  const channel = new Webhook({ ...base, url: secret(url), secret: secret('whsec_c2VjcmV0'), authorization: { scheme: 'Bearer', credentials: secret('t') }, body: 'alertmanager', maxAlerts: 1 }, http)
  const two = notificationOf('n1', [alertOf('a', 'firing', START, undefined, { service: 'shop' }), alertOf('b', 'resolved', START, START + 1000, { service: 'shop' })], START)
  assert.equal((await channel.send({ ...messageOf('firing'), notification: two }, contextOf())).state, 'delivered')
  const { headers, body, text } = asked[0] as Asked
  assert.deepEqual(body, {
    version: '4',
    groupKey: '{}:{service="shop"}',
    truncatedAlerts: 1,
    status: 'firing',
    receiver: 'team',
    groupLabels: { service: 'shop' },
    commonLabels: { alertname: 'High', severity: 'critical', service: 'shop' },
    commonAnnotations: {},
    externalURL: 'https://andon.example.com',
    notification_reason: 'first',
    alerts: [{ status: 'firing', labels: { alertname: 'High', instance: 'a', severity: 'critical', service: 'shop' }, annotations: { summary: 'a is high' }, startsAt: '2026-01-01T00:00:00.000Z', endsAt: '0001-01-01T00:00:00Z', generatorURL: '', fingerprint: 'a' }],
  })
  assert.deepEqual([headers['idempotency-key'], headers['webhook-id'], headers['webhook-timestamp'], headers.authorization], ['n1', 'n1', String(START / 1000), 'Bearer t'])
  assert.equal(headers['webhook-signature'], signatureOf('whsec_c2VjcmV0', 'n1', START / 1000, text))
  const states: string[] = []
  for (let index = 0; index < 4; index += 1) states.push((await channel.send(messageOf('firing'), contextOf())).state)
  assert.deepEqual(states, ['retry', 'refused', 'refused', 'disabled'])
  // Nobody followed the redirect.
  assert.equal(asked.length, 5)
})

test('the example of Standard Webhooks has the signature that it says', () => {
  assert.equal(signatureOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}'), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('a webhook may get all that is known instead', async () => {
  const { url, asked } = await receiver([[200, '']])
  const channel = new Webhook({ ...base, url: secret(url), secret: undefined, authorization: undefined, body: 'andon', maxAlerts: 0 }, http)
  await channel.send(messageOf('resolved', { unannounced: new Set(['a']) }), contextOf())
  const body = asked[0]?.body ?? {}
  assert.deepEqual([body['version'], body['title'], body['firedAndResolved'], body['incident'], body['alerts'][0].endsAt, body['links'].open], ['andon/1', '[FIRED AND RESOLVED] p95 board.load 812 ms', true, 'inc-7', START + 312_000, 'https://andon.example.com/incidents/inc-7'])
  assert.equal(asked[0]?.headers['webhook-signature'], undefined)
})

test('private addresses are refused, whatever stands for them; a receiver that does not answer is given up', async () => {
  const guard = new AddressGuard(['10.1.0.0/16', 'inside:8080'], (host) => Promise.resolve(host === 'both' ? [{ address: '127.0.0.1', family: 4 }, { address: '93.184.215.14', family: 4 }] : [{ address: '192.168.1.1', family: 4 }]))
  for (const host of ['127.0.0.1', '169.254.169.254', '10.0.0.1', '100.100.100.200', '0.0.0.0', '[::1]', '::ffff:127.0.0.1', '[::ffff:7f00:1]', '64:ff9b::7f00:1', 'fe80::1%eth0', 'fd00:ec2::254', 'inside', 'rebinding.example']) {
    await assert.rejects(guard.check(host, 80), { name: 'RefusedAddress' }, host)
  }
  for (const host of ['10.1.2.3', '8.8.8.8', '2606:4700::1111']) assert.equal((await guard.check(host, 80)).length, 1, host)
  assert.deepEqual(await guard.check('INSIDE.', 8080), [{ address: '192.168.1.1', family: 4 }])
  assert.deepEqual(await guard.check('both', 80), [{ address: '93.184.215.14', family: 4 }])
  // The checked address is the one that is spoken to.
  const { url, asked } = await receiver([[200, 'ok']])
  const pinned = new OutboundHttp({ check: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]) }, systemClock)
  await pinned.send({ url: url.replace('127.0.0.1', 'somewhere.invalid'), headers: {}, body: '{}' })
  assert.match(asked[0]?.headers.host ?? '', /^somewhere\.invalid:/)
  const silent = createServer(() => undefined)
  servers.push(silent)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const clock = new FakeClock()
  const waiting = new OutboundHttp(new AddressGuard(['127.0.0.1']), clock).send({ url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, headers: {}, body: '{}' })
  const given = assert.rejects(waiting, /no answer within 10 s/)
  await clock.advance(10_000)
  await given
})

/** A block keeps Slack's limits, with no half of a character and no half of an entity. */
function checkBlock(block: Record<string, Json>): void {
  const own: string = block['text']?.text ?? ''
  const fields: { readonly text: string }[] = block['fields'] ?? []
  const elements: { readonly url?: string; readonly text: Json }[] = block['elements'] ?? []
  if (block['type'] === 'header') assert.ok(own.length >= 1 && own.length <= SLACK_LIMITS.header)
  if (block['type'] === 'section' && fields.length === 0) assert.ok(own.length >= 1 && own.length <= SLACK_LIMITS.text)
  assert.ok(fields.length <= SLACK_LIMITS.fields && fields.every(({ text }) => text.length <= SLACK_LIMITS.field))
  assert.ok(elements.every(({ url = '', text }) => url.length <= SLACK_LIMITS.url && (text.text ?? text).length <= SLACK_LIMITS.text))
  assert.doesNotMatch(own, /[\uD800-\uDBFF](?![\uDC00-\uDFFF])/)
  if (block['type'] === 'section') assert.doesNotMatch(own.replaceAll(/&(?:amp|lt|gt);/g, ''), /[&<>]/)
}

test("Slack's limits hold whatever an alert brings", () => {
  let seed = 7
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  const PIECES = ['x', '&', '<', '>', '😀', '\n', '"', 'ß', ' ', '`', '*', '\u0000']
  const text = (max: number): string => Array.from({ length: Math.floor(random() * random() * max) }, () => PIECES[Math.floor(random() * PIECES.length)]).join('')
  for (let round = 0; round < 25; round += 1) {
    const alerts = Array.from({ length: Math.floor(random() * 60) }, (_, index) => ({
      ...alertOf(`${index}`, random() < 0.5 ? 'firing' : 'resolved', random() < 0.05 ? Number.NaN : START, START),
      labels: Object.fromEntries(Array.from({ length: Math.floor(random() * 20) }, () => [text(20), text(400)])),
      annotations: { summary: text(5000), description: text(20_000), suspected_change: text(9000), burn: text(9000), threshold: text(100), runbook_url: `https://x/${text(9000)}` },
      generatorUrl: `https://y/${'z'.repeat(Math.floor(random() * 6000))}`,
      value: random() < 0.2 ? Number.POSITIVE_INFINITY : random() * 1e12,
    }))
    const message = { ...messageOf('firing'), notification: notificationOf('n', alerts, START, { groupKey: text(5000), groupLabels: { service: text(5000) }, incident: text(3000) }), earlier: alerts.slice(0, 50), insteadOf: text(300) }
    const body = slackBody(message, linksOf(message, 'https://andon.example.com'), { url: PICTURE.url ?? '', alt: text(5000) })
    const blocks = [...(body.blocks ?? []), ...(body.attachments ?? []).flatMap((attachment) => attachment.blocks)] as Record<string, Json>[]
    assert.ok(blocks.length <= SLACK_LIMITS.blocks)
    assert.ok(JSON.stringify(body).length <= 14_000, String(JSON.stringify(body).length))
    for (const block of blocks) checkBlock(block)
    assert.ok(titleOf(message).length > 0)
  }
})

/** An alert of the shop in production that names a runbook of this server. */
const shopAlert = (name: string, more: Record<string, string>): NotifiedAlert => ({ ...alertOf(name, 'firing', START, undefined, { service_name: 'shop', deployment_environment_name: 'prod', severity: 'critical', ...more }), annotations: { runbook: 'slow-query' } })
const matchers = (url: string | undefined): string[] => new URL(url ?? '').searchParams.getAll('matcher')

test('links of a message: a silence asks for what its alerts have in common, a runbook of this server is read beside the incident or the alert', () => {
  const linked = (alerts: readonly NotifiedAlert[], more: Partial<Notification> = {}): MessageLinks => linksOf({ ...messageOf('firing'), notification: notificationOf('n1', alerts, START, { incident: undefined, ...more }) }, 'https://andon')
  const [first, second] = [shopAlert('a', {}), shopAlert('b', { alertname: 'Other' })]
  const ofIncident = linked([first, second], { incident: 'i1', groupLabels: { incident: 'i1' }, reason: 'escalation' })
  assert.deepEqual(matchers(ofIncident.silence), ['service_name="shop"', 'deployment_environment_name="prod"'])
  assert.equal(ofIncident.runbook, 'https://andon/incidents/i1?runbook=slow-query#runbook')
  const ofGroup = linked([first], { groupLabels: { service_name: 'shop' } })
  assert.deepEqual(matchers(ofGroup.silence), ['service_name="shop"'])
  assert.equal(ofGroup.runbook, `https://andon/alerts?open=${first.fingerprint}`)
  // Nothing but a severity in common: a silence of it would silence everything that is as bad.
  assert.equal(linked([first, shopAlert('c', { service_name: 'cart', deployment_environment_name: 'test', alertname: 'Other' })], { groupLabels: {} }).silence, undefined)
  assert.equal(linked([{ ...first, annotations: { runbook: 'https://wiki/slow' } }]).runbook, 'https://wiki/slow')
  assert.equal(linked([{ ...first, annotations: {} }]).runbook, undefined)
  assert.deepEqual(factsOf({ ...messageOf('firing'), notification: notificationOf('n1', [first, second], START) }).find(([name]) => name === 'Environment'), ['Environment', 'prod'])
})
