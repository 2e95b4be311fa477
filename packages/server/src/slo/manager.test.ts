import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Alert, Objective } from '@andon/model'
import { minutesOf } from './tracker.ts'
import { readObjectives } from './schema.ts'
import { START, World } from './world.test.ts'

const OBJECTIVE = `
objectives:
  - id: works
    service: shop
    indicator: { availability: }
    target: 99.9
`

function objectives(text = OBJECTIVE): Objective[] {
  return readObjectives(text, 'o.yaml')
}

const sum = (world: World): [good: number, total: number] => [...world.slices.rows.values()].reduce(([good, total], row) => [good + row.good, total + row.total], [0, 0])

test('many errors are told within a minute, as one alert with its cause in time, and it is resolved when all is well', async () => {
  const world = new World()
  await world.open(objectives())
  await world.pass(240, { ok: 75 })
  assert.equal(world.told.length, 0)
  const begun = world.clock.now()
  await world.pass(4, { ok: 65, failed: 10 })
  const [alert, ...more]: readonly (Alert | undefined)[] = world.last
  assert.deepEqual(more, [])
  assert.deepEqual(alert?.labels, { alertname: 'ErrorBudgetBurnsFast', objective: 'works', service_name: 'shop', severity: 'critical' })
  assert.deepEqual([alert.source, alert.endsAt, alert.onsetAt, alert.annotations['runbook'], alert.generatorUrl], ['objective', undefined, begun, 'error-burst', 'http://andon/objectives/works'])
  assert.ok(alert.startsAt - begun <= 60_000, String(alert.startsAt - begun))
  assert.match(alert.annotations['summary'] ?? '', /^works: [\d.]+ % bad within [1-5] min, 0\.1 % allowed$/)
  assert.match(alert.expression ?? '', /http_server_request_duration_seconds_count\{service_name="shop",http_response_status_code=~"5\.\."\}/)
  await world.pass(10, { ok: 65, failed: 10 })
  assert.equal(world.last[0]?.startsAt, alert.startsAt)
  // Each change is one entry of the log; the checkpoint of an hour is another.
  assert.deepEqual(world.log.filter(({ state }) => state === 'firing').length, 1)
  await world.pass(400, { ok: 75 })
  const page = world.told.flat().filter(({ labels }) => labels['severity'] === 'critical')
  const endedAt = page.find(({ endsAt }) => endsAt !== undefined)?.endsAt ?? 0
  assert.ok(endedAt > alert.startsAt + 300_000)
  assert.equal(new Set(page.map(({ startsAt }) => startsAt)).size, 1, 'it fired once')
})

test('a restart neither forgets what fires nor tells of it anew, and counts on where it ended', async () => {
  const world = new World()
  await world.open(objectives())
  await world.pass(240, { ok: 75 })
  await world.pass(5, { ok: 60, failed: 15 })
  const before = world.last
  assert.equal(before.length, 1)
  const logged = world.log.length
  // Killed: nothing was kept at the end. A minute goes by while it is down.
  for (let slice = 0; slice < 4; slice += 1) {
    world.happened.push({ time: world.clock.now() + 1000, service: 'shop', ok: 60, failed: 15 })
    await world.clock.advance(15_000)
  }
  await world.open(objectives())
  await world.pass(2, { ok: 60, failed: 15 })
  assert.deepEqual(world.last.filter(({ labels }) => labels['severity'] === 'critical').map(({ startsAt, onsetAt, labels }) => [startsAt, onsetAt, labels]), [[before[0]?.startsAt, before[0]?.onsetAt, before[0]?.labels]])
  assert.deepEqual(world.log.slice(logged).filter(({ state, severity }) => state === 'firing' && severity === 'critical'), [], 'nothing changed')
  await world.manager.stop()
  const truth = world.happened.filter(({ time }) => time < Math.floor(world.clock.now() / 60_000) * 60_000).reduce<[number, number]>(([good, total], { ok, failed }) => [good + ok, total + ok + failed], [0, 0])
  assert.deepEqual(sum(world), truth)
})

test('what is told is stored first: where it cannot be, nobody hears of it, and it is tried again', async () => {
  const world = new World()
  await world.open(objectives())
  await world.pass(100, { ok: 75 })
  world.isLogBroken = true
  await assert.rejects(world.pass(4, { ok: 40, failed: 35 }), /disk is full/)
  assert.equal(world.told.length, 0)
  world.isLogBroken = false
  await world.pass(1, { ok: 40, failed: 35 })
  assert.equal(world.last.length, 1)
})

test('without data an alert stays as it was and says so', async () => {
  const world = new World()
  await world.open(objectives())
  await world.pass(100, { ok: 75 })
  await world.pass(8, { ok: 40, failed: 35 })
  await world.pass(100, { ok: 0 })
  const [alert] = world.last
  assert.equal(alert?.endsAt, undefined)
  assert.match(alert?.annotations['description'] ?? '', /Nothing is counted any more/)
})

test('requests that come late are counted, each once, also an hour later', async () => {
  const world = new World()
  await world.open(objectives())
  await world.pass(30, { ok: 20 })
  world.happened.push({ time: world.clock.now() - 100_000, service: 'shop', ok: 7, failed: 3 })
  await world.pass(30, { ok: 20 })
  // So late that it is settled.
  world.happened.push({ time: world.clock.now() - 600_000, service: 'shop', ok: 11, failed: 0 })
  world.slices.isBroken = true
  await world.pass(1, { ok: 20 })
  world.slices.isBroken = false
  await world.pass(600, { ok: 20 })
  const end = START + 3_600_000
  const truth = minutesOf(world.happened.map(({ time, ok, failed }) => ({ time, route: 'GET /', version: '1', bad: failed, total: ok + failed, worth: ok + failed })))
  const kept = [...world.slices.rows.values()].filter(({ time }) => time < end)
  assert.deepEqual(
    kept.map(({ time, good, total }) => [time, good, total]).toSorted(([a = 0], [b = 0]) => a - b),
    [...truth.values()].filter(({ time }) => time < end).map(({ time, good, total }) => [time, good, total]).toSorted(([a = 0], [b = 0]) => a - b),
  )
})

test('each service that is seen gets two objectives, unless a file says what they would; one that is gone is resolved', async () => {
  const world = new World()
  await world.open(objectives(), true)
  await world.pass(8, { ok: 20 })
  await world.pass(8, { ok: 20, service: 'bank' })
  const ids = (): string[] => world.manager.standings.map(({ tracker }) => tracker.objective.id)
  assert.deepEqual(ids(), ['works', 'default.latency.shop', 'default.availability.bank', 'default.latency.bank'])
  await world.pass(200, { ok: 20, service: 'bank' })
  await world.pass(20, { ok: 5, failed: 15, service: 'bank' })
  assert.deepEqual(world.last.map(({ labels }) => labels['objective']), ['default.availability.bank'])
  await world.manager.stop()
  await world.open(objectives(`${OBJECTIVE}
  - id: bank-works
    service: bank
    indicator: { availability: }
    target: 90
`), true)
  assert.deepEqual(ids().toSorted(), ['bank-works', 'default.latency.bank', 'default.latency.shop', 'works'])
  await world.pass(1, { ok: 20 })
  assert.deepEqual(world.last.filter(({ labels }) => labels['objective'] === 'default.availability.bank').map(({ endsAt }) => endsAt !== undefined), [true])
})

test('a service that sends a metric of its requests and no spans gets the objective that they succeed, also after a restart', async () => {
  const world = new World()
  const failing = { share: 0 }
  world.query = (expression, start, end, step) => {
    const labels = { service_name: 'legacy', deployment_environment_name: 'prod' }
    const points = (value: number): (readonly [number, number])[] => Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => [start + index * step, value] as const)
    if (expression.includes('increase(http_server_request_duration_seconds_count[10m])')) return Promise.resolve([{ labels, points: points(600) }, { labels: { service_name: 'shop' }, points: points(600) }])
    if (!expression.includes('service_name="legacy"')) return Promise.resolve([])
    return Promise.resolve([{ labels: { http_route: '/x' }, points: points(expression.includes('5..') ? failing.share * 20 : 20) }])
  }
  await world.open([], true)
  const of = (): string[] => world.manager.standings.map(({ tracker: { objective } }) => `${objective.id} ${objective.indicator.kind}`).toSorted()
  const both = ['default.availability.legacy.prod counts', 'default.availability.shop spans', 'default.latency.shop spans']
  await world.pass(30, { ok: 20 })
  assert.ok(!of().some((each) => each.includes('legacy')), 'its spans may come yet')
  await world.pass(200, { ok: 20 })
  // The metric of a service with spans adds none.
  assert.deepEqual(of(), both)
  failing.share = 0.75
  await world.pass(20, { ok: 20 })
  assert.deepEqual(world.last.map(({ labels, endsAt }) => [labels['objective'], endsAt]), [['default.availability.legacy.prod', undefined]])
  await world.manager.stop()
  await world.open([], true)
  assert.deepEqual(of(), both)
  await world.pass(4, { ok: 20 })
  assert.ok(world.last.every(({ endsAt }) => endsAt === undefined))
})

test('maintenance raises no alarm, and an objective that cannot be counted does not stop the others', async () => {
  const world = new World()
  world.query = () => Promise.reject(new Error('no such metric'))
  const start = new Date(START + 100 * 15_000).toISOString()
  const end = new Date(START + 140 * 15_000).toISOString()
  await world.open(
    objectives(`${OBJECTIVE}    maintenance: [{ start: "${start}", end: "${end}", comment: move }]
  - id: broken
    service: shop
    indicator: { counts: { bad: a, total: b } }
    target: 99
`),
  )
  await world.pass(100, { ok: 75 })
  await world.pass(40, { ok: 0, failed: 75 })
  await world.pass(60, { ok: 75 })
  assert.equal(world.told.length, 0)
  assert.equal(world.manager.standing('broken')?.lastError, 'no such metric')
  assert.ok([...world.slices.rows.values()].some(({ good, total }) => total > 0 && good === 0), 'they are counted nevertheless')
})

test('a few errors of a few requests prove nothing', async () => {
  const world = new World()
  await world.open(objectives())
  for (let hour = 0; hour < 2; hour += 1) {
    await world.pass(239, { ok: 0 })
    await world.pass(1, { ok: 3, failed: 1 })
  }
  assert.equal(world.told.length, 0)
})
