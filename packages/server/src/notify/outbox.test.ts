import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alertOf, FakeChannel, notificationOf, START, World } from './world.test.ts'

const MINUTE = 60_000

const group = (index: number): { readonly groupKey: string } => ({ groupKey: `g${index}` })
const of = (groupKey: string): { readonly groupKey: string; readonly incident: string } => ({ groupKey, incident: 'i' })

test('a message is delivered once, its end after it, and the log says so', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { incident: 'i1' }))
  await world.decide(notificationOf('n2', [alertOf('a', 'resolved', START, START + MINUTE)], START + MINUTE, { incident: 'i1' }))
  assert.deepEqual(world.taken.map(({ message }) => [message.id, message.notification.status, message.unannounced.size]), [['n1', 'firing', 0], ['n2', 'resolved', 0]])
  // The second one knows what the first one left.
  assert.deepEqual(world.taken[1]?.context.memory, { first: 'n1' })
  assert.deepEqual(world.log.states(), { 'm/n1/chat': 'delivered', 'm/n2/chat': 'delivered' })
  assert.deepEqual(world.told.map(({ incident, notification, state }) => [incident, notification, state]), [['i1', 'n1', 'delivered'], ['i1', 'n2', 'delivered']])
  assert.equal(world.outbox?.isEmpty, true)
})

test('what fired and ended while nobody listened is told as one message, and nothing is an orphan', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  chat.mode = 'down'
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { incident: 'i' }))
  await world.clock.advance(30_000)
  await world.decide(notificationOf('n2', [alertOf('a', 'firing', START), alertOf('b', 'firing', START + 20_000)], START + 30_000, { incident: 'i', reason: 'new-alerts' }))
  await world.decide(notificationOf('n3', [alertOf('a', 'resolved', START, START + 40_000), alertOf('b', 'resolved', START + 20_000, START + 40_000)], START + 40_000, { incident: 'i' }))
  // Again, while the rest still waits.
  await world.decide(notificationOf('n4', [alertOf('a', 'firing', START + 50_000)], START + 50_000, { incident: 'i' }))
  await world.decide(notificationOf('n5', [alertOf('a', 'resolved', START + 50_000, START + 55_000)], START + 55_000, { incident: 'i' }))
  chat.mode = 'up'
  await world.clock.advance(10 * MINUTE)
  assert.equal(world.taken.length, 1)
  const [{ message }] = world.taken as [(typeof world.taken)[number]]
  assert.equal(message.id, 'n5')
  assert.deepEqual([...message.unannounced].toSorted(), ['a', 'b'])
  assert.deepEqual(message.notification.alerts.map(({ fingerprint, status }) => `${fingerprint} ${status}`), ['a resolved', 'b resolved'])
  assert.deepEqual(message.earlier.map(({ fingerprint, startsAt, endsAt }) => [fingerprint, startsAt - START, (endsAt ?? 0) - START]), [['a', 0, 40_000]])
  assert.deepEqual(world.log.states(), { 'm/n1/chat': 'coalesced', 'm/n2/chat': 'coalesced', 'm/n3/chat': 'coalesced', 'm/n4/chat': 'coalesced', 'm/n5/chat': 'delivered' })
  assert.deepEqual(world.told.filter(({ state }) => state === 'coalesced').map(({ notification }) => notification), ['n1', 'n2', 'n3', 'n4'])
  assert.equal(world.told[0]?.state, 'retrying')
})

test('a restart sends what is owed, and nothing that is not', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const receivers = [{ name: 'team', channels: [chat], fallback: undefined }]
  const first = await world.open({ receivers })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START))
  // Stored, and killed before it was delivered.
  await world.log.append(first.entries([notificationOf('n2', [alertOf('a', 'resolved', START, START + MINUTE)], START + MINUTE)]) as never)
  await world.open({ receivers })
  await world.clock.advance(MINUTE)
  assert.deepEqual(world.taken.map(({ message }) => message.id), ['n1', 'n2'])
  assert.equal(world.taken[1]?.message.unannounced.size, 0)
  assert.deepEqual(world.taken.at(1)?.context.memory, { first: 'n1' })
  await world.open({ receivers })
  await world.clock.advance(MINUTE)
  assert.equal(world.taken.length, 2)
})

test('a page that is not taken in five minutes goes to the fall-back channel, which hears the end too; the first is still tried', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const phone = new FakeChannel(world, 'phone', { receiver: 'other' })
  chat.mode = 'down'
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: 'phone' }, { name: 'other', channels: [phone], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { incident: 'i' }))
  await world.clock.advance(4.9 * MINUTE)
  assert.equal(world.taken.length, 0)
  await world.clock.advance(0.2 * MINUTE)
  assert.deepEqual(world.taken.map(({ channel, message }) => [channel, message.notification.id, message.insteadOf]), [['phone', 'n1', 'chat']])
  const end = notificationOf('n2', [alertOf('a', 'resolved', START, world.clock.now())], world.clock.now(), { incident: 'i' })
  await world.decide(end)
  assert.deepEqual(world.taken.at(-1)?.message.insteadOf, 'chat')
  assert.equal(world.taken.at(-1)?.message.unannounced.size, 0)
  chat.mode = 'up'
  await world.clock.advance(10 * MINUTE)
  assert.deepEqual(world.taken.map(({ channel, message }) => [channel, message.notification.id, message.unannounced.size]), [['phone', 'n1', 0], ['phone', 'n2', 0], ['chat', 'n2', 1]])
  // The group is over: what comes next begins at the channel where it belongs.
  await world.decide(notificationOf('n3', [alertOf('a', 'firing', world.clock.now())], world.clock.now()))
  assert.deepEqual(world.taken.slice(3).map(({ channel }) => channel), ['chat'])
})

test('a channel that takes nothing any more is disabled and said to be; what it is owed waits for it to be mended', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const phone = new FakeChannel(world, 'phone', { receiver: 'other' })
  const receivers = [{ name: 'team', channels: [chat], fallback: 'phone' }, { name: 'other', channels: [phone], fallback: undefined }]
  chat.mode = 'disabled'
  await world.open({ receivers })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START))
  assert.deepEqual(world.meta, ['AndonChannelDisabled chat'])
  assert.deepEqual(world.log.rows.filter(({ kind }) => kind === 'channel').map(({ key, state, doc }) => [key, state, doc]), [['chat', 'disabled', { detail: '403' }]])
  // The fall-back channel does not wait five minutes for what will not happen.
  await world.clock.advance(1000)
  assert.deepEqual(world.taken.map(({ channel }) => channel), ['phone'])
  const asked = world.attempts
  await world.clock.advance(30 * MINUTE)
  assert.equal(world.attempts, asked)
  const again = await world.open({ receivers })
  assert.equal(again.channels()[0]?.state, 'disabled')
  chat.mode = 'up'
  assert.equal(await again.enable('chat'), true)
  await world.clock.advance(1000)
  assert.deepEqual(world.taken.map(({ channel }) => channel), ['phone', 'chat'])
  assert.equal(again.channels()[0]?.state, 'ok')
  assert.equal(world.meta.at(-1), 'AndonChannelDisabled chat over')
})

test('what is not taken for a day, or refused, is given up aloud', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const pager = new FakeChannel(world, 'pager')
  chat.mode = 'down'
  pager.mode = 'refuse'
  await world.open({ receivers: [{ name: 'team', channels: [chat, pager], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { incident: 'i' }))
  assert.equal(world.log.states()['m/n1/pager'], 'given-up')
  await world.clock.advance(86_400_000 - MINUTE)
  assert.equal(world.log.states()['m/n1/chat'], 'queued')
  await world.clock.advance(2 * MINUTE)
  assert.equal(world.log.states()['m/n1/chat'], 'given-up')
  assert.ok(world.meta.includes('AndonMessageGivenUp pager') && world.meta.includes('AndonMessageGivenUp chat'))
  assert.deepEqual(world.told.filter(({ state }) => state === 'given-up').map(({ channel }) => channel), ['pager', 'chat'])
  // Between attempts at most five minutes pass, so a day has at least so many.
  assert.ok(world.attempts > 200 && world.attempts < 3000, String(world.attempts))
  // What was never told is told with its end.
  chat.mode = 'up'
  await world.decide(notificationOf('n2', [alertOf('a', 'resolved', START, world.clock.now())], world.clock.now()))
  await world.clock.advance(MINUTE)
  assert.deepEqual(world.taken.map(({ message }) => [message.id, message.unannounced.size]), [['n2', 1]])
})

test('a channel that is not told of ends hears of one that it was never told of, and of no other', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat', { sendResolved: false })
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START))
  await world.decide(notificationOf('n2', [alertOf('a', 'resolved', START, START + 1000)], START + 1000))
  assert.deepEqual(Object.keys(world.log.states()), ['m/n1/chat'])
  chat.mode = 'down'
  await world.decide(notificationOf('n3', [alertOf('a', 'firing', START + 2000)], START + 2000))
  await world.decide(notificationOf('n4', [alertOf('a', 'resolved', START + 2000, START + 3000)], START + 3000))
  chat.mode = 'up'
  await world.clock.advance(10 * MINUTE)
  assert.deepEqual(world.taken.map(({ message }) => [message.id, message.unannounced.size]), [['n1', 0], ['n4', 1]])
})

test('a destination is asked at its pace, waits as it wants, and is told quickly when it is back', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat', { pace: { perSecond: 1, burst: 1 } })
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  for (let index = 0; index < 20; index += 1) await world.decide(notificationOf(`n${index}`, [alertOf('a', 'firing', START)], START, group(index)))
  await world.clock.advance(30_000)
  assert.equal(world.taken.length, 20)
  const gaps = world.taken.slice(1).map(({ at }, index) => at - (world.taken[index]?.at ?? 0))
  assert.ok(Math.min(...gaps) >= 999, String(gaps))
  chat.mode = 'limited'
  const before = world.attempts
  await world.decide(notificationOf('m', [alertOf('a', 'firing', START)], START, group(100)))
  await world.clock.advance(2900)
  assert.equal(world.attempts, before + 1)
  // Down for an hour; at most half a minute after it is back all is told.
  chat.mode = 'down'
  for (let index = 200; index < 210; index += 1) await world.decide(notificationOf(`o${index}`, [alertOf('a', 'firing', START)], START, group(index)))
  await world.clock.advance(60 * MINUTE)
  chat.mode = 'up'
  await world.clock.advance(60_000)
  assert.equal(world.outbox?.isEmpty, true)
})

test('what does not fit into memory waits in the log, in order', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  chat.mode = 'down'
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }], lanesMax: 5 })
  for (let index = 0; index < 12; index += 1) await world.decide(notificationOf(`n${index}`, [alertOf('a', 'firing', START)], START + index, { groupKey: `g${index}` }))
  for (let index = 0; index < 12; index += 1) await world.decide(notificationOf(`e${index}`, [alertOf('a', 'resolved', START, START + 50)], START + 100 + index, { groupKey: `g${index}` }))
  assert.equal(world.metric('andon_notify_queued'), 5)
  assert.ok(world.metric('andon_notify_spilled_total') >= 7)
  chat.mode = 'up'
  await world.clock.advance(10 * MINUTE)
  assert.equal(world.outbox?.isEmpty, true)
  assert.deepEqual(world.taken.map(({ message }) => message.id).toSorted(), Array.from({ length: 12 }, (_, index) => `e${index}`).toSorted())
  assert.ok(world.taken.every(({ message }) => message.unannounced.size === 1))
})

test('many changes while nobody listens leave few rows that are owed', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const receivers = [{ name: 'team', channels: [chat], fallback: undefined }]
  chat.mode = 'down'
  await world.open({ receivers })
  for (let index = 0; index < 200; index += 1) await world.decide(notificationOf(`n${index}`, [alertOf('a', index % 2 === 0 ? 'firing' : 'resolved', START + index - (index % 2), START + index)], START + index))
  const owed = await world.log.latest('message', { except: ['delivered', 'given-up', 'coalesced'] })
  assert.ok(owed.length < 70, String(owed.length))
  await world.open({ receivers })
  chat.mode = 'up'
  await world.clock.advance(MINUTE)
  assert.deepEqual(world.taken.map(({ message }) => [message.id, message.earlier.length]), [['n199', 99]])
})

test('what cannot be stored is not told again, and stored when it can be', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const outbox = await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  const notification = notificationOf('n1', [alertOf('a', 'firing', START)], START)
  await world.log.append(outbox.entries([notification]) as never)
  world.log.isBroken = true
  outbox.deliver([notification])
  await world.clock.advance(MINUTE)
  assert.deepEqual([world.taken.length, world.log.states()['m/n1/chat'], outbox.isEmpty], [1, 'queued', false])
  world.log.isBroken = false
  await world.clock.advance(MINUTE)
  assert.deepEqual([world.taken.length, world.log.states()['m/n1/chat'], outbox.isEmpty], [1, 'delivered', true])
})

test('what is decided twice is owed once, also by the log', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const receivers = [{ name: 'team', channels: [chat], fallback: undefined }]
  await world.open({ receivers })
  const first = notificationOf('n1', [alertOf('a', 'firing', START)], START)
  await world.decide(first)
  await world.decide(first)
  await world.decide(notificationOf('n2', [alertOf('a', 'resolved', START, START + 1)], START + 1))
  await world.open({ receivers })
  await world.clock.advance(MINUTE)
  assert.deepEqual(world.taken.map(({ message }) => message.id), ['n1', 'n2'])
})

test('what falls back while a decision is being stored hears of that decision too', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const phone = new FakeChannel(world, 'phone', { receiver: 'other' })
  chat.mode = 'down'
  const outbox = await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: 'phone' }, { name: 'other', channels: [phone], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START))
  const end = notificationOf('n2', [alertOf('a', 'resolved', START, START + 1000)], START + 1000)
  const rows = outbox.entries([end])
  // The store takes its time.
  await world.clock.advance(9 * MINUTE)
  assert.equal(world.taken.length, 0)
  await world.clock.advance(6 * MINUTE)
  assert.deepEqual(world.taken.map(({ channel }) => channel), ['phone'])
  await world.log.append(rows as never)
  outbox.deliver([end])
  await world.clock.advance(MINUTE)
  assert.deepEqual(world.taken.map(({ channel, message }) => [channel, message.notification.id]), [['phone', 'n1'], ['phone', 'n2']])
  assert.notEqual(world.log.states()['m/n2/phone'], 'queued')
})

test('what one channel knows to have ended does not begin again because another one was not told', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  const quiet = new FakeChannel(world, 'quiet', { sendResolved: false })
  const phone = new FakeChannel(world, 'phone', { receiver: 'other' })
  for (const channel of [chat, quiet, phone]) channel.mode = 'down'
  const outbox = await world.open({ receivers: [{ name: 'team', channels: [chat, quiet], fallback: 'phone' }, { name: 'other', channels: [phone], fallback: undefined }] })
  const decisions = [
    notificationOf('n1', [alertOf('a', 'firing', START)], START),
    notificationOf('n2', [alertOf('a', 'resolved', START, START + 1)], START + 1),
    notificationOf('n3', [alertOf('b', 'firing', START + 2)], START + 2),
  ]
  // All are decided before the first one is stored.
  const rows = decisions.map((one) => outbox.entries([one]))
  for (const some of rows) await world.log.append(some as never)
  outbox.deliver(decisions)
  await world.clock.advance(20 * MINUTE)
  for (const channel of [chat, quiet, phone]) channel.mode = 'up'
  await world.clock.advance(20 * MINUTE)
  for (const channel of ['chat', 'quiet', 'phone']) {
    const last = world.taken.filter((each) => each.channel === channel).at(-1)?.message
    assert.deepEqual(last?.notification.alerts.map(({ fingerprint, status }) => `${fingerprint} ${status}`).toSorted(), ['a resolved', 'b firing'], channel)
    assert.ok(last.unannounced.has('a'))
  }
})

test('a receiver that is not configured is not passed over in silence', async () => {
  const world = new World()
  await world.open({ receivers: [{ name: 'team', channels: [new FakeChannel(world, 'chat')], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, { receiver: 'nobody' }))
  assert.deepEqual([world.log.rows.length, world.meta], [0, ['AndonReceiverUnknown undefined']])
})

test('an incident that opens again is the same message, and other groups of it keep it open', async () => {
  const world = new World()
  const chat = new FakeChannel(world, 'chat')
  await world.open({ receivers: [{ name: 'team', channels: [chat], fallback: undefined }] })
  await world.decide(notificationOf('n1', [alertOf('a', 'firing', START)], START, of('g1')))
  await world.decide(notificationOf('n2', [alertOf('b', 'firing', START)], START, of('g2')))
  await world.decide(notificationOf('n3', [alertOf('a', 'resolved', START, START + 1)], START + 1, of('g1')))
  await world.decide(notificationOf('n4', [alertOf('b', 'resolved', START, START + 2)], START + 2, of('g2')))
  await world.clock.advance(MINUTE)
  await world.decide(notificationOf('n5', [alertOf('a', 'firing', world.clock.now())], world.clock.now(), of('g1')))
  await world.decide(notificationOf('n6', [alertOf('b', 'firing', world.clock.now())], world.clock.now(), { groupKey: 'g2', incident: 'another' }))
  assert.deepEqual(world.taken.map(({ context: { othersFire, isReopened, memory } }) => [othersFire, isReopened, memory]), [
    [false, false, undefined],
    [true, false, undefined],
    [true, false, { first: 'n1' }],
    [false, false, { first: 'n2' }],
    [false, true, { first: 'n1' }],
    [false, false, undefined],
  ])
})
