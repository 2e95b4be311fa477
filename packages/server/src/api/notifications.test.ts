import assert from 'node:assert/strict'
import { test } from 'node:test'
import fastify, { type FastifyInstance } from 'fastify'
import { silentLog } from '../runtime/log.ts'
import { testNotification } from '../notify/notifier.ts'
import { alertOf, FakeChannel, notificationOf, START, World } from '../notify/world.test.ts'
import { registerErrors } from './errors.ts'
import { Guard, hashToken, registerGuard } from './guard.ts'
import { registerNotificationsApi } from './notifications.ts'

const tokens = (['viewer', 'editor'] as const).map((role) => ({ name: `the ${role}`, role, sha256: hashToken(`${role}-token-0123456789`) }))
const HOST = '127.0.0.1:4318'

/** What a receiver is sent is looked at as it is. */
type Json = ReturnType<typeof JSON.parse>

interface Fixture {
  readonly world: World
  readonly chat: FakeChannel
  readonly ask: (role: 'viewer' | 'editor' | '', method: 'GET' | 'POST', url: string) => Promise<{ readonly status: number; readonly type: string; readonly body: Json }>
}

async function createFixture(): Promise<Fixture> {
  const world = new World()
  const chat = new FakeChannel(world, 'team.chat')
  const outbox = await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  const app: FastifyInstance = fastify()
  const guard = new Guard({ host: '127.0.0.1', port: () => 4318, allowedHosts: [], tokens, clock: world.clock })
  registerErrors(app, silentLog)
  registerGuard(app, guard)
  const pictures = { png: (id: string) => (id === 'a'.repeat(32) ? Buffer.from('png') : undefined) }
  registerNotificationsApi(app, { notifier: { outbox, pictures, test: async (channel, actor) => await outbox.test(channel, testNotification('team', actor, world.clock.now())) }, guard, clock: world.clock })
  return {
    world,
    chat,
    ask: async (role, method, url) => {
      const { statusCode, headers, body } = await app.inject({ method, url, headers: { host: HOST, ...(role !== '' && { authorization: `Bearer ${role}-token-0123456789` }) } })
      return { status: statusCode, type: String(headers['content-type']), body: body.startsWith('{') ? (JSON.parse(body) as unknown) : body }
    },
  }
}

test('messages are told with what became of them', async () => {
  const { world, chat, ask } = await createFixture()
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { incident: 'i1' }))
  chat.mode = 'down'
  await world.decide(notificationOf('n2', [alertOf('a', 'resolved', START, START + 5)], START, { incident: 'i1' }))
  await world.clock.advance(1000)
  const { status, body } = await ask('viewer', 'GET', '/api/notifications')
  assert.deepEqual([status, body.truncated, body.messages.length], [200, false, 2])
  assert.deepEqual(body.messages[1], { id: 'n1', channel: 'team.chat', receiver: 'team', groupKey: '{}:{service="shop"}', incident: 'i1', reason: 'first', status: 'firing', decidedAt: START, state: 'delivered', at: START, title: '[FIRING] a is high', lateMs: 0, detail: '', into: '', insteadOf: '' })
  const of = async (query: string): Promise<string[]> => (await ask('viewer', 'GET', `/api/notifications?${query}`)).body.messages.map(({ id }: { id: string }) => id)
  assert.deepEqual([await of('state=queued'), await of('state=delivered&channel=team.chat'), await of('incident=i2'), await of('limit=1')], [['n2'], ['n1'], [], ['n2']])
  assert.equal((await ask('viewer', 'GET', '/api/notifications?state=lost')).status, 400)
  const { body: fared } = await ask('viewer', 'GET', '/api/notifications/channels')
  assert.deepEqual(fared.channels, [
    { name: 'team.chat', receiver: 'team', type: 'webhook', target: 'team.chat', sendResolved: true, state: 'failing', lastDeliveredAt: START, lastError: 'connect ECONNREFUSED', disabledSince: null, queued: 1, oldestSince: START, fallback: null },
  ])
})

test('a channel is tested and enabled by editors', async () => {
  const { world, chat, ask } = await createFixture()
  chat.mode = 'disabled'
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START))
  const failed = await ask('editor', 'POST', '/api/notifications/channels/team.chat/test')
  assert.deepEqual([failed.status, failed.body.delivered, failed.body.state, failed.body.detail], [200, false, 'disabled', '403'])
  chat.mode = 'up'
  const taken = await ask('editor', 'POST', '/api/notifications/channels/team.chat/test')
  assert.deepEqual([taken.body.delivered, taken.body.detail], [true, ''])
  assert.match(world.taken[0]?.message.notification.alerts[0]?.annotations['summary'] ?? '', /asked for by the editor/)
  // What was owed is told now that it takes messages.
  await world.clock.advance(1000)
  assert.deepEqual(world.taken.slice(1).map(({ message }) => message.id), ['n1'])
  assert.equal((await ask('editor', 'POST', '/api/notifications/channels/team.chat/enable')).status, 204)
  for (const action of ['test', 'enable']) {
    assert.equal((await ask('editor', 'POST', `/api/notifications/channels/nobody/${action}`)).status, 404)
    assert.equal((await ask('viewer', 'POST', `/api/notifications/channels/team.chat/${action}`)).status, 403)
  }
})

test('a picture is open to who knows its name', async () => {
  const { ask } = await createFixture()
  const { status, type, body } = await ask('', 'GET', `/api/charts/${'a'.repeat(32)}.png`)
  assert.deepEqual([status, type, body], [200, 'image/png', 'png'])
  for (const name of ['b'.repeat(32), 'x', '..%2f..%2fetc']) assert.equal((await ask('', 'GET', `/api/charts/${name}.png`)).status, 404)
})
