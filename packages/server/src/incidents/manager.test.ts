import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Incident, INCIDENT_STATES, type IncidentState } from '@andon/model'
import { isOpen } from './draft.ts'
import { figuresOf } from './figures.ts'
import { createWorld, firing, resolved, type World } from './fixture.test.ts'

const MINUTE = 60_000

/** The incident of a single alert. */
async function joined(world: World, ...changes: Parameters<World['manager']['join']>[0]): Promise<string[]> {
  const found = await world.manager.join(changes)
  return changes.map(({ fingerprint }) => found.get(fingerprint) ?? '')
}

function inEnvironment(env: string, change: ReturnType<typeof firing>): ReturnType<typeof firing> {
  return { ...change, alert: { ...change.alert, labels: { ...change.alert.labels, env } }, fingerprint: `${change.fingerprint}-${env}` }
}

const texts = async (world: World, id: string, kind?: string): Promise<string[]> => (await world.manager.timeline(id)).filter((entry) => kind === undefined || entry.kind === kind).map(({ text }) => text)

test('an alert opens an incident, others of its service join it, and it is resolved when all are', async () => {
  const world = await createWorld()
  const { clock, manager } = world
  const at = clock.now()
  const [first] = await joined(world, firing({ at, more: { onsetAt: at - 90_000 } }))
  await clock.advance(20 * MINUTE)
  // 20 minutes later the first one still fires: it is the same trouble.
  const [second] = await joined(world, firing({ at: clock.now(), rule: 'SlowRoute', severity: 'warning' }))
  assert.deepEqual([first, second], ['i20261102-1', 'i20261102-1'])
  const [other] = await joined(world, firing({ at: clock.now(), service: 'bank' }))
  assert.equal(other, 'i20261102-2')
  await joined(world, resolved({ at: clock.now() }))
  assert.equal((await manager.find('i20261102-1')).state, 'detected')
  await joined(world, resolved({ at: clock.now(), rule: 'SlowRoute', severity: 'warning' }))
  const done = await manager.find('i20261102-1')
  assert.deepEqual([done.state, done.marks.resolved, figuresOf(done)], ['resolved', { at: clock.now(), actor: 'andon' }, { mttdMs: 90_000, mttaMs: null, mttmMs: null, mttrMs: 20 * MINUTE + 90_000 }])
  assert.deepEqual((await world.manager.timeline(done.id)).filter(({ kind }) => kind !== 'evidence').map(({ text }) => text), [
    'Opened by ManyErrors of shop',
    'ManyErrors of shop fires: ManyErrors of shop',
    'SlowRoute of shop fires: SlowRoute of shop',
    'ManyErrors of shop is resolved',
    'SlowRoute of shop is resolved',
    'Resolved: none of its alerts fires any more',
  ])
})

test('where people are to say that it is over, nothing else does; an incident that a person opened is theirs', async () => {
  const world = await createWorld({ yaml: { resolve: 'by_hand' } })
  const [id = ''] = await joined(world, firing({ at: world.clock.now() }))
  await joined(world, resolved({ at: world.clock.now() }))
  assert.equal((await world.manager.find(id)).state, 'detected')
  const other = await createWorld()
  const own = await other.manager.create({ title: 'blank page', service: 'shop', environment: '', severity: 'critical', onsetAt: other.clock.now() - 5 * MINUTE }, 'ann')
  assert.deepEqual(await joined(other, firing({ at: other.clock.now() })), [own.id])
  await joined(other, resolved({ at: other.clock.now() }))
  const open = await other.manager.find(own.id)
  assert.deepEqual([open.state, figuresOf(open).mttdMs, open.openedBy], ['detected', 5 * MINUTE, { kind: 'person', name: 'ann' }])
})

test('neighbours on the map join within the window; past it, in another environment or too mild they do not', async () => {
  const world = await createWorld({ near: { shop: ['db'], db: ['shop'] } })
  const { clock } = world
  const [first] = await joined(world, inEnvironment('prod', firing({ at: clock.now(), service: 'db' })))
  await clock.advance(14 * MINUTE)
  assert.deepEqual(await joined(world, inEnvironment('prod', firing({ at: clock.now(), service: 'shop' }))), [first])
  const [staging] = await joined(world, inEnvironment('staging', firing({ at: clock.now(), service: 'shop', instance: 'x' })))
  assert.notEqual(staging, first)
  assert.deepEqual(await joined(world, firing({ at: clock.now(), service: 'mail', severity: 'warning' }), firing({ at: clock.now(), rule: 'Notice', severity: 'info' })), ['', ''])
  const late = await createWorld({ near: { shop: ['db'], db: ['shop'] } })
  const [before] = await joined(late, firing({ at: late.clock.now(), service: 'db' }))
  await late.clock.advance(16 * MINUTE)
  const [after] = await joined(late, firing({ at: late.clock.now(), service: 'shop' }))
  assert.notEqual(after, before)
})

test('what names no environment joins what there is of its service, and an incident takes the environment that the first alert names', async () => {
  const world = await createWorld()
  const at = world.clock.now()
  const [first] = await joined(world, firing({ at, rule: 'Availability' }))
  assert.deepEqual(await joined(world, inEnvironment('prod', firing({ at }))), [first])
  assert.equal((await world.manager.find(first ?? '')).environment, 'prod')
  const [staging] = await joined(world, inEnvironment('staging', firing({ at })))
  assert.notEqual(staging, first)
  // Of two that it may belong to, its own environment's is the one.
  assert.deepEqual(await joined(world, inEnvironment('prod', firing({ at, rule: 'Slow' })), inEnvironment('staging', firing({ at, rule: 'Slow' }))), [first, staging])
})

test('of alerts that come together the milder ones join also where they stand before what opens', async () => {
  const world = await createWorld({ near: { shop: ['db'], db: ['shop'] } })
  const at = world.clock.now()
  const mild = firing({ at, rule: 'Slow', severity: 'warning' })
  assert.deepEqual(await joined(world, mild, firing({ at, service: 'db' }), firing({ at, rule: 'Notice', severity: 'info' })), ['i20261102-1', 'i20261102-1', ''])
  assert.deepEqual(await joined(world, firing({ at, rule: 'Short', severity: 'warning', service: 'mail' }), resolved({ at, rule: 'Short', severity: 'warning', service: 'mail' }), firing({ at, service: 'mail' })), ['', '', 'i20261102-2'])
})

test('a map that fails or hangs does not keep an alert from its incident', async () => {
  const failing = await createWorld({ deps: { neighbours: () => Promise.reject(new Error('away')) } })
  assert.deepEqual(await joined(failing, firing({ at: failing.clock.now() })), ['i20261102-1'])
  let asked = 0
  const hang = (): Promise<never> => {
    asked += 1
    return new Promise(() => undefined)
  }
  const hanging = await createWorld({ deps: { neighbours: hang } })
  const waiting = joined(hanging, firing({ at: hanging.clock.now() }))
  await new Promise((resolve) => setImmediate(resolve))
  await hanging.clock.advance(2000)
  assert.deepEqual(await waiting, ['i20261102-1'])
  // The next ones do not wait for it.
  assert.deepEqual(await joined(hanging, firing({ at: hanging.clock.now(), service: 'db' }), firing({ at: hanging.clock.now(), service: 'mail' })), ['i20261102-2', 'i20261102-3'])
  assert.equal(asked, 1)
})

test('what fires again within the cooldown opens the same incident again; later it is another one', async () => {
  const world = await createWorld()
  const { clock, manager } = world
  const [id] = await joined(world, firing({ at: clock.now() }))
  await manager.setState(id ?? '', { state: 'acknowledged', revision: 1, note: '' }, 'ann')
  await clock.advance(MINUTE)
  await joined(world, resolved({ at: clock.now() }))
  await clock.advance(29 * MINUTE)
  assert.deepEqual(await joined(world, firing({ at: clock.now() })), [id])
  const again = await manager.find(id ?? '')
  assert.deepEqual([again.state, again.reopened, again.marks.acknowledged, again.firstAcknowledgedAt !== null], ['detected', 1, undefined, true])
  await joined(world, resolved({ at: clock.now() }))
  // Another instance of the same rule and service is the same trouble.
  assert.deepEqual(await joined(world, firing({ at: clock.now(), instance: 'pod-2' })), [id])
  await joined(world, resolved({ at: clock.now(), instance: 'pod-2' }))
  await clock.advance(31 * MINUTE)
  const [other] = await joined(world, firing({ at: clock.now() }))
  assert.equal(other, 'i20261102-2')
})

test('closed by a person while it fires: the same outbreak handed in again changes nothing, a new one opens it again', async () => {
  const world = await createWorld()
  const { clock, manager } = world
  const begin = clock.now()
  const [id = ''] = await joined(world, firing({ at: begin }))
  await manager.setState(id, { state: 'resolved', revision: undefined, note: 'a test' }, 'ann')
  await world.restart()
  assert.deepEqual(await joined(world, firing({ at: begin })), [id])
  assert.equal((await world.manager.find(id)).state, 'resolved')
  await clock.advance(MINUTE)
  assert.deepEqual(await joined(world, firing({ at: clock.now() })), [id])
  assert.equal((await world.manager.find(id)).state, 'detected')
})

test('an incident that a person opens again leaves alerts to the open incident that they belong to by now', async () => {
  const world = await createWorld()
  const { clock, manager } = world
  const [old = ''] = await joined(world, firing({ at: clock.now() }), firing({ at: clock.now(), rule: 'Other' }))
  await joined(world, resolved({ at: clock.now() }), resolved({ at: clock.now(), rule: 'Other' }))
  await clock.advance(40 * MINUTE)
  const [now = ''] = await joined(world, firing({ at: clock.now() }))
  assert.notEqual(now, old)
  await manager.setState(old, { state: 'detected', revision: undefined, note: 'too early' }, 'ann')
  assert.deepEqual([(await manager.find(old)).alerts.map(({ rule }) => rule), (await manager.find(now)).alerts.map(({ rule }) => rule)], [['Other'], ['ManyErrors']])
  await world.restart()
  assert.deepEqual(await joined(world, resolved({ at: clock.now() })), [now])
})

test('of two who change the same revision the second is refused, and so is what goes backwards', async () => {
  const world = await createWorld()
  const [id = ''] = await joined(world, firing({ at: world.clock.now() }))
  const set = (state: IncidentState, revision: number | undefined, actor: string): Promise<Incident> => world.manager.setState(id, { state, revision, note: '' }, actor)
  const both = await Promise.allSettled([set('acknowledged', 1, 'ann'), set('acknowledged', 1, 'ben')])
  assert.deepEqual(both.map(({ status }) => status), ['fulfilled', 'rejected'])
  await assert.rejects(set('mitigated', 1, 'ben'), { code: 'conflict', status: 409 })
  assert.equal((await set('resolved', 2, 'ben')).revision, 3)
  await assert.rejects(set('mitigated', undefined, 'ben'), { code: 'conflict' })
  await assert.rejects(set('acknowledged', undefined, 'ben'), { code: 'conflict' })
  assert.equal((await set('reviewed', 3, 'ann')).state, 'reviewed')
  await assert.rejects(world.manager.find('i1'), { code: 'not_found' })
})

test('what cannot be stored has not happened', async () => {
  const world = await createWorld()
  world.log.failing = 1
  await assert.rejects(joined(world, firing({ at: world.clock.now() })))
  assert.deepEqual([world.manager.list({ range: undefined, states: [], service: undefined, limit: 10 }), world.log.rows], [[], []])
  const [id = ''] = await joined(world, firing({ at: world.clock.now() }))
  world.log.failing = 1
  await assert.rejects(world.manager.setState(id, { state: 'acknowledged', revision: 1, note: '' }, 'ann'))
  assert.equal((await world.manager.find(id)).state, 'detected')
  assert.equal((await world.manager.timeline(id)).length, 2)
})

test('what was told stands in the timeline once; retries once for each channel', async () => {
  const world = await createWorld()
  const [id = ''] = await joined(world, firing({ at: world.clock.now() }))
  const delivery = { incident: id, channel: 'slack', notification: 'n1', at: world.clock.now(), detail: '429' }
  await world.manager.told([{ ...delivery, state: 'retrying' }, { ...delivery, state: 'retrying', at: delivery.at + 1 }, { ...delivery, incident: 'nobody', state: 'delivered' }])
  await world.restart()
  await world.manager.told([{ ...delivery, state: 'retrying', at: delivery.at + 2 }, { ...delivery, state: 'delivered', at: delivery.at + 3, detail: '' }])
  assert.deepEqual(await texts(world, id, 'notification'), ['slack could not be told yet: 429', 'slack was told'])
  assert.equal(world.log.rows.filter(({ kind, state }) => kind === 'incident-event' && state === 'notification').length, 2)
})

test('deploys shortly before, evidence, and deploys meanwhile stand in the timeline; evidence is kept once more at the end', async () => {
  const asked: string[] = []
  const world = await createWorld({
    near: { shop: ['db'] },
    evidence: {
      slowTraces: (service) => {
        asked.push(service)
        return Promise.resolve([{ traceId: 'a'.repeat(32), start: 0, durationMs: 812, rootService: 'shop', rootName: 'GET /', errors: 1, spans: Array.from({ length: 900 }, (_, index) => ({ spanId: `${index}`, parentSpanId: '', name: `span ${index}`, kind: 'server', service: 'shop', start: 0, durationMs: 1, attributes: { text: 'x'.repeat(500) }, events: [], status: 'ok', message: '' })) }])
      },
      errors: () => Promise.reject(new Error('the table is away')),
      statements: () => Promise.resolve([{ text: 'SELECT 1' }]),
      series: (expression) => Promise.resolve([{ labels: { expression }, points: [[1, 2]] }]),
    },
  })
  const { clock, manager, deploys } = world
  const marker = { id: 'd1', service: 'db', environment: '', version: '2', at: clock.now() - 30 * MINUTE, source: 'seen' as const, actor: '', note: '' }
  deploys.push(marker, { ...marker, id: 'd0', at: clock.now() - 3 * 3_600_000 }, { ...marker, id: 'dx', service: 'mail' })
  const [id = ''] = await joined(world, firing({ at: clock.now(), more: { expression: 'rate(x[5m])' } }))
  await clock.advance(1)
  assert.deepEqual(await texts(world, id, 'deploy'), ['Deployed: db 2'])
  await manager.deployed({ ...marker, id: 'd2', service: 'shop', version: '1.5', at: clock.now() })
  await clock.advance(50_000)
  const kept = await manager.evidence(id)
  assert.deepEqual(kept.map(({ name, cut }) => [name, cut]), [['series-0', false], ['series-1', false], ['series-2', false], ['series-3', false], ['statements', false], [`trace-${'a'.repeat(32)}`, true]])
  assert.ok(kept.every((one) => JSON.stringify(one).length < 100 * 1024))
  assert.match((await texts(world, id, 'evidence')).join(), /1 slow traces, 4 courses, statements\. Not to be had: errors: the table is away/)
  const names = await manager.evidenceNames(await manager.find(id))
  assert.deepEqual([names.map(({ name }) => name), 'data' in (names[0] ?? {})], [kept.map(({ name }) => name), false])
  await world.restart()
  await clock.advance(MINUTE)
  assert.equal(asked.length, 1)
  await joined(world, resolved({ at: clock.now() }))
  await clock.advance(MINUTE)
  assert.equal(asked.length, 2)
  assert.deepEqual((await texts(world, id, 'deploy')).toSorted(), ['Deployed: db 2', 'Deployed: shop 1.5'])
})

type Step =
  | { readonly do: 'fire' | 'end'; readonly alert: number }
  | { readonly do: 'burst'; readonly changes: readonly { readonly alert: number; readonly ends: boolean }[] }
  | { readonly do: 'state'; readonly which: number; readonly state: IncidentState; readonly seen: boolean }
  | { readonly do: 'comment'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' | 'fail' }

const ALERTS = ['shop', 'db', 'mail'].flatMap((service) => [
  { service, rule: 'ManyErrors', severity: 'critical' },
  { service, rule: 'Slow', severity: 'warning' },
  { service, rule: 'ManyErrors', severity: 'critical', instance: '2' },
])

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('fire' as const, 'end' as const), alert: fc.nat(ALERTS.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('burst' as const), changes: fc.array(fc.record({ alert: fc.nat(ALERTS.length - 1), ends: fc.boolean() }), { minLength: 2, maxLength: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('state' as const), which: fc.nat(5), state: fc.constantFrom(...INCIDENT_STATES), seen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('comment' as const), which: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.integer({ min: 1, max: 4 * MINUTE }), fc.integer({ min: 1, max: 40 * MINUTE })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'fail' as const) }) },
)

const POLICY = { cooldown: '8m', escalation: [{ name: 'all', steps: [{ wait: '5m' }, { notify: 'team' }, { wait: '10m' }, { notify: 'boss' }], repeat: 1, reescalate_after: '1h' }], alert_budget: 'off' }

const listOf = (world: World): Incident[] => world.manager.list({ range: undefined, states: [], service: undefined, limit: Infinity })

/** No state is left for an earlier one but by reopening, and times are in order. */
function checkCourse(incident: Incident, before: Incident | undefined): void {
  const { id, state, marks, revision, reopened } = incident
  if (before !== undefined) {
    const isForward = INCIDENT_STATES.indexOf(state) >= INCIDENT_STATES.indexOf(before.state)
    assert.ok(isForward || (reopened > before.reopened && !isOpen(before)), `${id} went from ${before.state} to ${state}`)
    assert.ok(revision >= before.revision && (state === before.state || revision > before.revision))
  }
  const times = INCIDENT_STATES.flatMap((one) => marks[one]?.at ?? [])
  assert.deepEqual(times, times.toSorted((a, b) => a - b))
  for (const figure of Object.values(figuresOf(incident))) assert.ok(figure === null || figure >= 0)
}

/** The timeline is complete and in order. */
async function checkTimeline(world: World, { id, alerts, reopened }: Incident): Promise<void> {
  const timeline = await world.manager.timeline(id)
  const at = timeline.map((entry) => entry.at)
  assert.deepEqual(at, at.toSorted((a, b) => a - b))
  assert.equal(new Set(timeline.map((entry) => entry.id)).size, timeline.length)
  for (const { fingerprint, fired } of alerts) {
    const told = timeline.filter(({ kind, detail }) => kind === 'alert' && detail['fingerprint'] === fingerprint && detail['status'] === 'firing')
    assert.ok(told.length >= fired, `${fingerprint} fired ${fired} times, ${told.length} stand in the timeline`)
  }
  assert.equal(timeline.filter(({ kind }) => kind === 'reopened').length, reopened)
  const escalations = timeline.filter(({ kind, detail }) => kind === 'escalation' && detail['receiver'] !== undefined)
  assert.equal(world.outbox.delivered.filter((one) => one.incident === id && one.reason === 'escalation').length, escalations.length)
}

/** Whoever was called hears of the end, and of no end without a beginning. */
function checkMessages(world: World, incident: Incident): void {
  for (const receiver of ['team', 'boss']) {
    const own = world.outbox.delivered.filter((one) => one.incident === incident.id && one.receiver === receiver).map((one) => one.status)
    own.forEach((status, index) => assert.ok(status === 'firing' || own[index - 1] === 'firing', `${receiver} heard of an end without a beginning`))
    if (!isOpen(incident)) assert.notEqual(own.at(-1), 'firing', `${receiver} never heard that ${incident.id} is over`)
  }
}

/** What must hold at any time, and after a restart. */
async function check(world: World, seen: Map<string, Incident>): Promise<void> {
  const holders = new Set<string>()
  for (const incident of listOf(world)) {
    const { id, alerts, reopened } = incident
    if (isOpen(incident)) {
      for (const { fingerprint } of alerts) assert.ok(!holders.has(fingerprint), `${fingerprint} belongs to two open incidents`)
      for (const { fingerprint } of alerts) holders.add(fingerprint)
      assert.ok(reopened > 0 || alerts.some(({ status }) => status === 'firing'), `${id} is open and nothing fires`)
    }
    checkCourse(incident, seen.get(id))
    seen.set(id, incident)
    await checkTimeline(world, incident)
    checkMessages(world, incident)
  }
  assert.equal(new Set(world.outbox.delivered.map((one) => one.id)).size, world.outbox.delivered.length)
}

/** An alert begins, is handed in again, or ends. */
async function alertStep(world: World, active: Map<number, number>, { do: what, alert }: Extract<Step, { readonly alert: number }>): Promise<void> {
  const facts = ALERTS[alert] ?? assert.fail()
  const at = what === 'fire' ? (active.get(alert) ?? world.clock.now()) : world.clock.now()
  const made = what === 'fire' ? firing({ ...facts, at }) : resolved({ ...facts, at })
  const isFailing = world.log.failing > 0
  const found = await world.manager.join([made]).catch(() => undefined)
  assert.ok(found !== undefined || isFailing)
  if (found === undefined) return
  if (what === 'end') return void active.delete(alert)
  active.set(alert, at)
  if (facts.severity !== 'critical') return
  const { alerts } = await world.manager.find(found.get(made.fingerprint) ?? '')
  assert.ok(alerts.some(({ fingerprint }) => fingerprint === made.fingerprint))
}

/** Several changes come in one, as when a group of rules is evaluated. */
async function burstStep(world: World, active: Map<number, number>, { changes }: Extract<Step, { readonly do: 'burst' }>): Promise<void> {
  const after = new Map(active)
  const made = changes.map(({ alert, ends }) => {
    const facts = ALERTS[alert] ?? assert.fail()
    const at = ends ? world.clock.now() : (after.get(alert) ?? world.clock.now())
    if (ends) after.delete(alert)
    else after.set(alert, at)
    return ends ? resolved({ ...facts, at }) : firing({ ...facts, at })
  })
  const isFailing = world.log.failing > 0
  const found = await world.manager.join(made).catch(() => undefined)
  assert.ok(found !== undefined || isFailing)
  if (found === undefined) return
  for (const alert of ALERTS.keys()) {
    const at = after.get(alert)
    if (at === undefined) active.delete(alert)
    else active.set(alert, at)
  }
}

/** Somebody does something, and may be refused. */
async function personStep(world: World, each: Extract<Step, { readonly which: number }>): Promise<void> {
  const list = listOf(world)
  const incident = list[each.which % Math.max(1, list.length)]
  if (incident === undefined) return
  const isFailing = world.log.failing > 0
  const work =
    each.do === 'comment'
      ? world.manager.comment(incident.id, { text: 'hm', action: false, owner: '' }, 'ann')
      : world.manager.setState(incident.id, { state: each.state, revision: each.seen ? incident.revision : undefined, note: '' }, 'ann')
  await work.catch((error: unknown) => assert.ok(isFailing || (error instanceof Error && Reflect.get(error, 'code') === 'conflict'), String(error)))
}

async function restartStep(world: World): Promise<void> {
  const list = listOf(world)
  const timelines = async (): Promise<unknown> => await Promise.all(list.map(async ({ id }) => await world.manager.timeline(id)))
  const before = await timelines()
  await world.restart()
  assert.deepEqual(listOf(world), list)
  assert.deepEqual(await timelines(), before)
}

test('any sequence of alerts, people, waits, failures and restarts keeps the invariants (property)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const world = await createWorld({ yaml: POLICY, near: { shop: ['db'], db: ['shop'] } })
      const seen = new Map<string, Incident>()
      const active = new Map<number, number>()
      for (const each of steps) {
        if (each.do === 'burst') await burstStep(world, active, each)
        else if ('alert' in each) await alertStep(world, active, each)
        else if ('which' in each) await personStep(world, each)
        else if (each.do === 'wait') await world.clock.advance(each.ms)
        else if (each.do === 'fail') world.log.failing = 1
        else await restartStep(world)
        await check(world, seen)
      }
      await world.manager.stop()
    }),
    { numRuns: 150 },
  )
})
