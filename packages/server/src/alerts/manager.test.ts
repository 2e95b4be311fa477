// What an Alertmanager does, case by case; and what this one does better.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { alertOf, HOUR, MINUTE, START, World } from './fixture.test.ts'
import { readAlertmanagerFile } from './schema.ts'

const SECOND = 1000
const plain = (more = ''): string => `
route: {receiver: ops, group_by: [cluster], group_wait: 30s, group_interval: 5m, repeat_interval: 1h${more}}
receivers: [{name: ops}]
`
const a = { alertname: 'a', cluster: 'x' }
const b = { alertname: 'b', cluster: 'x' }

test('alerts of a group are told together after group_wait, then news every group_interval, then repeated', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a)
  await world.advance(20 * SECOND)
  await world.fire(b)
  await world.fire({ alertname: 'c', cluster: 'y' })
  await world.advance(9 * SECOND)
  assert.deepEqual(world.messages(), [])
  await world.advance(1 * SECOND)
  const [first] = world.outbox.delivered
  assert.deepEqual([first?.groupKey, first?.groupLabels, first?.status, first?.decidedAt], ['{}:{cluster="x"}', { cluster: 'x' }, 'firing', START + 30_000])
  assert.match(first?.id ?? '', /^[\w-]{1,64}$/)
  assert.deepEqual(world.messages(), ['ops: first +a +b'])
  await world.advance(20 * SECOND)
  assert.deepEqual(world.messages(), ['ops: first +c'])
  await world.fire({ alertname: 'd', cluster: 'x' })
  await world.advance(4 * MINUTE)
  assert.deepEqual(world.messages(), [])
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), ['ops: new-alerts +a +b +d'])
  await world.resolve(b)
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: some-resolved +a +d -b'])
  await world.advance(54 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: repeat +c'])
  await world.advance(6 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: repeat +a +d'])
  await world.resolve(a)
  await world.resolve({ alertname: 'd', cluster: 'x' })
  await world.advance(5 * MINUTE)
  const [last] = world.outbox.delivered
  assert.equal(last?.status, 'resolved')
  assert.ok(last.alerts.every(({ endsAt, startsAt }) => endsAt !== undefined && endsAt >= startsAt))
  assert.deepEqual(world.messages(), ['ops: all-resolved -a -d'])
  await world.advance(3 * HOUR)
  assert.deepEqual(world.messages(), ['ops: repeat +c', 'ops: repeat +c', 'ops: repeat +c'])
})

test('what is resolved before group_wait is over is never told', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a)
  await world.advance(20 * SECOND)
  await world.resolve(a)
  await world.advance(HOUR)
  assert.deepEqual(world.messages(), [])
  await world.fire(a)
  await world.advance(29 * SECOND)
  assert.deepEqual(world.messages(), [])
  await world.advance(1 * SECOND)
  assert.deepEqual(world.messages(), ['ops: first +a'])
})

test('what comes and goes between two flushes is not told; an alert that began long ago does not wait', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a, { startsAt: START - HOUR })
  assert.deepEqual(world.messages(), ['ops: first +a'])
  await world.resolve(a)
  await world.fire(a)
  await world.fire(b)
  await world.resolve(b)
  await world.advance(30 * MINUTE)
  assert.deepEqual(world.messages(), [])
})

test('an alert of the API is resolved at its end unless it is renewed', async () => {
  const world = await World.open({ config: plain() })
  const until = (ms: number): Promise<void> => world.fire(a, { source: 'api', startsAt: START, endsAt: world.clock.now() + ms })
  await until(2 * MINUTE)
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), ['ops: first +a'])
  await until(6 * MINUTE)
  await world.advance(5 * MINUTE)
  assert.deepEqual((await world.manager.active()).length, 1)
  await world.advance(5 * MINUTE)
  assert.deepEqual((await world.manager.active()).length, 0)
  assert.deepEqual(world.messages(), ['ops: all-resolved -a'])
})

test('after a restart what others must renew is believed for as long as they are given', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a, { source: 'api', startsAt: START - HOUR, endsAt: START + MINUTE })
  assert.deepEqual(world.messages(), ['ops: first +a'])
  await world.restart(10 * MINUTE)
  await world.advance(4 * MINUTE)
  assert.deepEqual(world.messages(), [])
  await world.advance(6 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: all-resolved -a'])
})

test('news of an end that is older than the beginning changes nothing', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a, { startsAt: START - MINUTE })
  await world.fire(a, { startsAt: START - HOUR, endsAt: START - 2 * MINUTE })
  assert.equal((await world.manager.active()).length, 1)
  await world.fire(a, { startsAt: START - MINUTE, endsAt: START })
  assert.equal((await world.manager.active()).length, 0)
})

const ROUTES = `
route:
  receiver: root
  group_by: [cluster]
  routes:
    - {matchers: ['team="db"'], receiver: db, continue: true}
    - {match_re: {team: db|web}, receiver: web, group_by: ['...'], group_wait: 10s}
    - {match: {team: none}, receiver: quiet, mute_time_intervals: [noon], active_time_intervals: [week]}
receivers: [{name: root}, {name: db}, {name: web}, {name: quiet}]
time_intervals:
  - {name: noon, time_intervals: [{times: [{start_time: '12:00', end_time: '13:00'}]}]}
  - {name: week, time_intervals: [{weekdays: ['monday:friday']}]}
`

test('routes: the first child that matches, all until one that does not continue, the parent where none does', async () => {
  const world = await World.open({ config: ROUTES })
  await world.fire({ alertname: 'a', team: 'db', cluster: 'x' })
  await world.fire({ alertname: 'b', team: 'web', cluster: 'x' })
  await world.fire({ alertname: 'c', cluster: 'x' })
  await world.advance(30 * SECOND)
  assert.deepEqual(world.outbox.delivered.map(({ groupKey }) => groupKey), [
    '{}/{team=~"db|web"}:{alertname="a", cluster="x", team="db"}',
    '{}/{team=~"db|web"}:{alertname="b", cluster="x", team="web"}',
    '{}/{team="db"}:{cluster="x"}',
    '{}:{cluster="x"}',
  ])
  assert.deepEqual(world.messages(), ['web: first +a', 'web: first +b', 'db: first +a', 'root: first +c'])
})

test('the calendar: nothing is told in a mute time or outside an active time, and what is owed is told afterwards', async () => {
  const world = await World.open({ config: ROUTES, start: START - 10 * MINUTE })
  const c = { alertname: 'c', team: 'none' }
  const d = { alertname: 'd', team: 'none' }
  await world.fire(c)
  await world.advance(9 * MINUTE)
  assert.deepEqual(world.messages(), ['quiet: first +c'])
  await world.advance(2 * MINUTE)
  await world.resolve(c)
  await world.fire(d)
  const [view] = await world.manager.active()
  assert.deepEqual(view?.mutedBy, ['noon'])
  await world.advance(57 * MINUTE)
  assert.deepEqual(world.messages(), [])
  await world.advance(7 * MINUTE)
  assert.deepEqual(world.messages(), ['quiet: new-alerts +d -c'])
  // From Monday to Saturday, when it is resolved; told on the next Monday.
  await world.advance(5 * 24 * HOUR)
  world.messages()
  await world.resolve(d)
  await world.advance(24 * HOUR)
  assert.deepEqual(world.messages(), [])
  await world.advance(24 * HOUR)
  assert.deepEqual(world.messages(), ['quiet: all-resolved -d'])
})

const INHIBIT = `
route: {receiver: ops, group_by: [cluster], group_wait: 1s}
receivers: [{name: ops}]
inhibit_rules:
  - {source_matchers: [severity="critical"], target_matchers: [severity=~"warning|critical"], equal: [cluster, zone]}
  - {source_match: {alertname: off}, target_match_re: {alertname: '.+'}}
`

test('a worse alert holds a lesser one back while it fires; an absent label is an empty one; none holds itself back', async () => {
  const world = await World.open({ config: INHIBIT })
  await world.fire({ ...a, severity: 'critical' })
  await world.fire({ ...b, severity: 'warning', zone: '' })
  await world.fire({ alertname: 'c', cluster: 'y', severity: 'warning' })
  await world.advance(SECOND)
  assert.deepEqual(world.messages(), ['ops: first +a', 'ops: first +c'])
  const views = await world.manager.active()
  assert.deepEqual(views.filter(({ mute }) => mute.inhibitedBy.length > 0).map(({ held }) => held.alert.labels['alertname']), ['b'])
  await world.resolve({ ...a, severity: 'critical' })
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: new-alerts +b -a'])
  // Of both sides of the second rule: it does not hold itself back.
  await world.fire({ alertname: 'off', cluster: 'z' })
  await world.advance(SECOND)
  assert.deepEqual(world.messages(), ['ops: first +off'])
})

const ofService = (name: string, severity: string): Record<string, string> => ({ alertname: name, service_name: name, severity })

test('along the service map the root holds back symptoms of no greater severity, and services that call each other hold back nothing', async () => {
  const calls: Record<string, string[]> = { web: ['shop'], shop: ['db', 'web2'], web2: ['shop'] }
  let isDown = false
  const dependsOn = (service: string): Promise<readonly string[]> => (isDown ? Promise.reject(new Error('no map')) : Promise.resolve(calls[service] ?? []))
  const world = await World.open({ dependsOn })
  await world.fire(ofService('db', 'critical'))
  await world.fire(ofService('web', 'critical'))
  await world.fire(ofService('shop', 'warning'))
  await world.fire({ ...ofService('web', 'critical'), alertname: 'elsewhere', deployment_environment_name: 'staging' })
  await world.advance(MINUTE)
  // Where one names no environment it may be the same.
  assert.deepEqual(world.messages(), ['first +db'])
  await world.resolve(ofService('db', 'critical'))
  await world.advance(5 * MINUTE)
  // A warning holds back no page; web and the alert elsewhere are told now, shop too.
  assert.deepEqual(world.messages().toSorted(), ['all-resolved -db', 'first +elsewhere', 'first +shop', 'first +web'])
  await world.fire(ofService('web2', 'warning'))
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), ['first +web2'])
  isDown = true
  await world.advance(2 * MINUTE)
  await world.fire(ofService('db', 'critical'))
  await world.fire(ofService('gate', 'warning'))
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), ['first +db', 'first +gate'])
})

test('what is silenced is not told; when it ends after it was told, that is told; silences outlive a restart', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a, { startsAt: START - HOUR })
  assert.deepEqual(world.messages(), ['ops: first +a'])
  const silence = { id: '', matchers: [{ name: 'cluster', operator: '=' as const, value: 'x' }], startsAt: 0, endsAt: START + 2 * HOUR, createdBy: 'me', comment: 'deploy' }
  const id = await world.manager.silences.set(silence)
  await world.restart()
  await world.fire(b)
  await world.advance(10 * MINUTE)
  assert.deepEqual(world.messages(), [])
  const views = await world.manager.active()
  assert.deepEqual(views.map(({ mute }) => mute.silencedBy), [[id], [id]])
  await world.resolve(a)
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: all-resolved -a'])
  await world.manager.silences.expire(id, 'me')
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: first +b'])
  await world.restart(HOUR)
  assert.equal(world.manager.silences.get(id)?.endsAt, START + 15 * MINUTE)
})

test('where all that fires on is silenced, a resolve does not end the group for its receiver', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a)
  await world.fire(b)
  await world.advance(30 * SECOND)
  assert.deepEqual(world.messages(), ['ops: first +a +b'])
  await world.manager.silences.set({ id: '', matchers: [{ name: 'alertname', operator: '=', value: 'a' }], startsAt: 0, endsAt: START + HOUR, createdBy: 'me', comment: 'x' })
  await world.resolve(b)
  await world.advance(5 * MINUTE)
  assert.deepEqual([world.outbox.delivered[0]?.status, world.messages()], ['firing', ['ops: some-resolved +a -b']])
})

test('a square wave of a minute is at most two messages in each hour, and its end is told', async () => {
  for (const [on, off] of [[60, 60], [30, 30], [45, 15], [120, 60]] as const) {
    for (const severity of ['critical', 'warning']) {
      const world = await World.open()
      const wave = { alertname: 'w', service_name: 'shop', severity }
      for (let hour = 0; hour < 3; hour += 1) {
        for (let time = 0; time < HOUR; time += (on + off) * SECOND) {
          await world.fire(wave)
          await world.advance(on * SECOND)
          await world.resolve(wave)
          await world.advance(off * SECOND)
        }
        const messages = world.messages()
        assert.ok(messages.length <= 2, `${on} s on, ${off} s off, ${severity}, hour ${hour}: ${messages.join('; ')}`)
        if (hour === 0) assert.equal(messages.at(-1), 'flapping +w')
      }
      const [view] = await world.manager.active()
      assert.equal(view?.isFlapping, true)
      await world.advance(25 * MINUTE)
      assert.deepEqual(world.messages(), ['all-resolved -w'])
      assert.deepEqual(await world.manager.active(), [])
    }
  }
})

test('three changes in a few minutes are not flapping yet', async () => {
  const world = await World.open()
  const wave = { alertname: 'w', service_name: 'shop', severity: 'critical' }
  await world.fire(wave)
  await world.advance(3 * MINUTE)
  await world.resolve(wave)
  await world.advance(MINUTE)
  await world.fire(wave)
  await world.advance(10 * MINUTE)
  assert.deepEqual(world.messages(), ['first +w'])
})

test('a page does not wait, also in a group that was told of; a warning does', async () => {
  const world = await World.open()
  const base = { service_name: 'shop', deployment_environment_name: 'production' }
  await world.fire({ ...base, alertname: 'warn', severity: 'warning' })
  await world.advance(10 * SECOND)
  assert.deepEqual(world.messages(), [])
  await world.fire({ ...base, alertname: 'page', severity: 'page' })
  assert.deepEqual([world.outbox.delivered[0]?.incident, world.messages()], ['incident of shop', ['first +warn +page']])
  await world.advance(MINUTE)
  await world.fire({ ...base, alertname: 'other', severity: 'critical' })
  assert.deepEqual(world.messages(), ['new-alerts +warn +page +other'])
  await world.advance(10 * MINUTE)
  assert.deepEqual(world.messages(), [])
})

test('a page whose rule has used up its budget is routed and told as a ticket, to its end, and the next one as what it is then', async () => {
  const world = await World.open({
    config: `
route:
  receiver: mail
  group_wait: 30s
  routes: [{receiver: pager, matchers: [severity="page"], group_wait: 0s}]
receivers: [{name: mail}, {name: pager}]
`,
  })
  const page = { alertname: 'ManyErrors', service_name: 'shop', severity: 'page' }
  world.incidents.demoted.set('ManyErrors', '2 pages of shop in 7 days. Its alerts are tickets until then.')
  await world.fire(page)
  await world.advance(30 * SECOND)
  const [told] = world.outbox.delivered
  assert.deepEqual([told?.receiver, told?.alerts[0]?.labels['severity']], ['mail', 'ticket'])
  assert.match(told?.alerts[0]?.annotations['description'] ?? '', /2 pages of shop in 7 days/)
  assert.deepEqual(world.messages(), ['mail: first +ManyErrors'])
  const [view] = await world.manager.active()
  assert.deepEqual([view?.receivers, view?.held.alert.labels['severity']], [['mail'], 'page'])
  // Its budget is free again while it fires: whoever knows of it is told of its end, and nobody else of anything.
  world.incidents.demoted.clear()
  await world.restart()
  await world.resolve(page)
  // Back before its end was told: it goes on as what it was.
  await world.fire(page)
  await world.advance(10 * MINUTE)
  assert.deepEqual([world.messages(), (await world.manager.active())[0]?.receivers], [[], ['mail']])
  await world.resolve(page)
  await world.advance(10 * MINUTE)
  assert.deepEqual(world.messages(), ['mail: all-resolved -ManyErrors'])
  await world.fire(page)
  await world.advance(SECOND)
  assert.deepEqual(world.messages(), ['pager: first +ManyErrors'])
})

test('what was stored and not decided is decided after a restart, missed flushes at once; nothing is told twice', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a)
  await world.restart(10 * SECOND)
  assert.deepEqual(world.messages(), [])
  await world.advance(20 * SECOND)
  assert.deepEqual(world.messages(), ['ops: first +a'])
  await world.restart()
  await world.restart(2 * MINUTE)
  assert.deepEqual(world.messages(), [])
  await world.resolve(a)
  await world.restart(10 * MINUTE)
  assert.deepEqual(world.messages(), ['ops: all-resolved -a'])
  await world.restart(10 * MINUTE)
  await world.advance(HOUR)
  assert.deepEqual(world.messages(), [])
})

test('another configuration: what was told by a route that is gone is told to have ended', async () => {
  const world = await World.open({ config: ROUTES })
  await world.fire({ alertname: 'a', team: 'web' })
  await world.advance(30 * SECOND)
  assert.deepEqual(world.messages(), ['web: first +a'])
  world.config = readAlertmanagerFile('{route: {receiver: root}, receivers: [{name: root}, {name: web}]}', 'test.yml')
  await world.manager.reload(world.config)
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), ['root: first +a'])
  await world.restart()
  await world.resolve({ alertname: 'a', team: 'web' })
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.messages().toSorted(), ['root: all-resolved -a', 'web: all-resolved -a'])
})

test('alerts are told where incidents cannot be joined, and joined later', async () => {
  const world = await World.open({ config: plain() })
  world.incidents.isBroken = true
  await world.fire({ ...a, service_name: 'shop' }, { startsAt: START - HOUR })
  assert.equal(world.outbox.delivered[0]?.incident, undefined)
  assert.deepEqual(world.messages(), ['ops: first +a'])
  world.incidents.isBroken = false
  await world.fire({ ...b, service_name: 'shop' })
  await world.advance(5 * MINUTE)
  assert.deepEqual(world.outbox.delivered.map(({ incident }) => incident), ['incident of shop'])
  assert.deepEqual(world.incidents.changes.map(({ alert }) => alert.labels['alertname']), ['b', 'a'])
})

test('while the log cannot be written nothing is told, and afterwards it is told once', async () => {
  const world = await World.open({ config: plain() })
  await world.fire(a)
  world.log.isDead = true
  await assert.rejects(world.manager.accept([alertOf(b)]), /dead/)
  await world.advance(MINUTE)
  assert.deepEqual(world.messages(), [])
  world.log.revive()
  await world.advance(10 * SECOND)
  assert.deepEqual(world.messages(), ['ops: first +a'])
  await world.advance(20 * MINUTE)
  assert.deepEqual(world.messages(), [])
})

test('the asked-for interface reaches the same pipeline: told once while active', async () => {
  const world = await World.open()
  const { manager } = world
  manager.addRule({ id: 'slow', metric: 'board.load', operator: 'gt', threshold: 500, severity: 'critical', message: 'the board is slow', tags: { route: '/board' } })
  manager.checkMetric('board.load', 812, { route: '/board', 'http.method': 'GET' })
  manager.checkMetric('board.load', 900, { route: '/board', 'http.method': 'GET' })
  manager.checkMetric('board.load', 900, { route: '/other' })
  await world.advance(SECOND)
  assert.deepEqual(manager.getActiveAlerts(), [
    { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', rule: 'slow', metric: 'board.load', value: 900, threshold: 500, severity: 'critical', message: 'the board is slow', tags: { route: '/board', http_method: 'GET' } },
  ])
  assert.deepEqual(world.messages(), ['first +slow'])
  manager.checkMetric('board.load', 100, { route: '/board', 'http.method': 'GET' })
  await world.advance(5 * MINUTE)
  assert.deepEqual([manager.getActiveAlerts(), world.messages()], [[], ['all-resolved -slow']])
  manager.triggerAlert({ type: 'DISK', severity: 'warning', message: 'half full' })
  for (let count = 0; count < 11; count += 1) manager.checkErrorRate(new TypeError('x'))
  await world.advance(31 * SECOND)
  assert.deepEqual(manager.getActiveAlerts().map(({ type }) => type), ['DISK', 'ERROR_RATE_EXCEEDED'])
  assert.equal(world.outbox.delivered.length > 0, true)
  await world.advance(10 * MINUTE)
  assert.deepEqual(manager.getActiveAlerts(), [])
})

test('a message holds at most 500 alerts and says how many more there are', async () => {
  const world = await World.open({ config: plain() })
  await world.manager.accept(Array.from({ length: 600 }, (_, index) => alertOf({ ...a, instance: String(index) })))
  await world.advance(MINUTE)
  const [told] = world.outbox.delivered
  assert.deepEqual([told?.alerts.length, told?.truncated], [500, 100])
})

test('history tells each change once, the newest first', async () => {
  const world = await World.open({ config: plain() })
  await world.fire({ ...a, service_name: 'shop' })
  await world.advance(MINUTE)
  await world.resolve({ ...a, service_name: 'shop' })
  await world.advance(5 * MINUTE)
  const changes = await world.manager.history({ start: START, end: START + HOUR }, 100)
  assert.deepEqual(changes.map(({ at, status, held }) => [at - START, status, held.incident]), [[MINUTE, 'resolved', 'incident of shop'], [0, 'firing', 'incident of shop']])
})

test('more alerts than are held are refused and counted', async () => {
  const world = await World.open({ config: plain() })
  const many = Array.from({ length: 50_001 }, (_, index) => alertOf({ alertname: 'many', instance: String(index) }))
  await assert.rejects(world.manager.accept(many), (error) => error instanceof AndonError && error.code === 'overloaded')
  assert.equal(world.own.render().find(({ name }) => name === 'andon_alerts_dropped_total')?.samples[0]?.value, 1)
})
