// Data directories as releases wrote them (made by `npm run keep-release`) are opened, migrated and read.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { LabelMatcher } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { openStore, type Store } from './index.ts'

const folder = join(import.meta.dirname, '../../releases')
const releases = readdirSync(folder).filter((file) => file.endsWith('.tar.gz'))
/** As in scripts/keep-release.ts: the end of what was written, and kept so long that nothing expires. */
const AT = Date.UTC(2026, 10, 20, 12)
const forever = { rawDays: 3650, spansDays: 3650, rollupDays: 3650, longDays: 3650 }
const range = { start: AT - 3 * 3_600_000, end: AT + 3_600_000 }
const TRACE = 'a1'.repeat(16)
const named = (name: string): LabelMatcher[] => [{ name: '__name__', operator: '=', value: name }]
const SOURCE = { job: 'shop', instance: 'host:1', service_name: 'shop', deployment_environment_name: 'test', service_version: '1.2.3' }

async function seen(store: Store, name: string): Promise<unknown> {
  const found = await store.metrics.select(named(name), range)
  return found.map(({ labels, ts, v, histograms }) => ({ labels, points: [...ts].map((time, index) => [(time - AT) / 1000, histograms?.[index]?.count ?? v[index]]) }))
}

async function readsMetrics(store: Store): Promise<void> {
  assert.deepEqual(await seen(store, 'shop_orders_total'), [{ labels: { __name__: 'shop_orders_total', till: 'one', ...SOURCE }, points: [[-120, 100], [-60, 105], [0, 3]] }])
  assert.deepEqual(await seen(store, 'shop_baskets'), [{ labels: { __name__: 'shop_baskets', till: 'one', ...SOURCE }, points: [[-60, 7], [0, 9]] }])
  assert.deepEqual(await seen(store, 'http.server.request.duration'), [
    { labels: { __name__: 'http_server_request_duration_seconds', http_request_method: 'POST', http_route: '/orders', ...SOURCE }, points: [[-10, 0], [0, 10]] },
  ])
  // The reset is taken out.
  assert.deepEqual(await store.metrics.rolledUpIncrease(named('shop_orders_total'), range), { minutes: 8, hours: 8 })
  assert.deepEqual(await store.metrics.rolledUpIncrease(named('http_server_request_duration_seconds'), range), { minutes: 10, hours: 10 })
  const [exemplars] = await store.metrics.exemplars(named('http_server_request_duration_seconds'), range)
  assert.deepEqual(exemplars?.exemplars.map(({ ts, value, labels }) => [ts, value, labels['trace_id']]), [[AT - 1000, 0.25, TRACE]])
}

async function readsSpans(store: Store): Promise<void> {
  const spans = await store.spans.trace(TRACE)
  assert.deepEqual(spans.map(({ name, parentSpanId, kind, status }) => [name, parentSpanId, kind, status.code, status.message]), [
    ['POST /orders', '', 'server', 'ok', ''],
    ['INSERT orders', '1'.repeat(16), 'client', 'error', 'duplicate key'],
  ])
  const [root] = spans
  assert.deepEqual({ ...root?.attributes }, { 'http.route': '/orders', 'http.response.status_code': 201n, 'shop.paid': true, 'shop.total': 12.5, 'shop.items': ['a', 'b'] })
  assert.deepEqual([root?.traceState, root?.droppedAttributes, root?.events.map(({ name }) => name), root?.links.map(({ spanId }) => spanId)], ['vendor=1', 1, ['paid'], ['3'.repeat(16)]])
  assert.deepEqual({ ...root?.resource.attributes }, { 'service.name': 'shop', 'service.version': '1.2.3', 'service.instance.id': 'host:1', 'deployment.environment.name': 'test', 'host.name': 'host', 'host.cpus': 4n })
  const [red] = await store.spans.red({ start: AT - 60_000, end: AT + 60_000 }, 60_000)
  assert.deepEqual([red?.service, red?.rate.filter((rate) => rate !== null)], ['shop', [1 / 60]])
}

async function readsProfiles(store: Store): Promise<void> {
  const query = { service: 'shop', type: 'cpu', range: { start: AT - 7_200_000, end: AT } } as const
  const heaviest = [['hash main', 80_000_000], ['main', 40_000_000]]
  for (const [asked, fromSums] of [[query, true], [{ ...query, instance: 'host:1' }, false]] as const) {
    const { stacks, profiles, rollup } = await store.profiles.merged(asked, 10)
    assert.deepEqual([stacks.map(({ stack, value }) => [stack.map(({ name }) => name).join(' '), value]), profiles, rollup !== null], [heaviest, 1, fromSums])
  }
}

async function readsState(store: Store): Promise<void> {
  const controls = await store.state.latest('agent-control')
  assert.deepEqual(controls.map(({ key, state, doc }) => [key, state, Reflect.get(doc as object, 'sampling')]), [['service/shop', 'set', 0.25]])
  for (const [kind, field, value] of [['breach', 'rule', 'slow'], ['adaptation', 'reason', 'over_budget']] as const) {
    const events = await store.state.history(kind, 'host:1', 10)
    assert.deepEqual(events.map(({ doc }) => Reflect.get(doc as object, field)), [value])
  }
  const next = await store.state.append([{ kind: 'breach', key: 'next', state: 'exceeded', service: 'shop', severity: '', actor: '', doc: null }])
  assert.ok((next[0] ?? 0) > (controls[0]?.revision ?? Infinity), 'revisions go on from where they were')
  assert.deepEqual((await store.agents.heardSince(0, 10)).map(({ instance, service, version }) => [instance, service, version]), [['host:1', 'shop', '0.1.0']])
  assert.deepEqual((await store.inventory.items('shop', { start: 0, end: 4e12 })).map(({ kind, name }) => [kind, name]), [['job', 'digest'], ['route', 'POST /orders']])
}

async function readsErrorsAndStalls(store: Store): Promise<void> {
  const groups = await store.exceptions.groups({ range }, 10)
  assert.deepEqual(groups.map(({ service, type, count, firstInRange, lastInRange }) => [service, type, count, firstInRange, lastInRange]), [['shop', 'RangeError', 2, AT - 5000, AT]])
  const versions = await store.exceptions.versions(groups.map(({ id }) => id))
  assert.deepEqual(versions.map(({ version, firstSeen, lastSeen, count }) => [version, firstSeen, lastSeen, count]), [['1.2.3', AT - 5000, AT, 2]])
  const stalls = await store.stalls.list({ service: 'shop', range, limit: 10 })
  assert.deepEqual(stalls.map(({ time, seconds, stack, route }) => [time, seconds, stack, route]), [[AT, 0.75, 'at hash (/app/hash.ts:7)', '/orders']])
}

test('there is at least the directory of the first release', () => {
  assert.ok(releases.includes('0.1.0.tar.gz'), releases.join(', '))
})

for (const release of releases) {
  test(`what ${release.replace('.tar.gz', '')} has written is migrated and read: spans, metrics and rollups, errors, profiles, stalls, state`, { timeout: 120_000 }, async (t) => {
    const archive = join(folder, release)
    assert.ok(statSync(archive).size < 1_000_000, 'kept directories are small')
    const scratch = mkdtempSync(join(tmpdir(), 'andon-releases-'))
    t.after(() => rmSync(scratch, { recursive: true, force: true }))
    mkdirSync(join(scratch, 'data'))
    assert.equal(spawnSync('tar', ['-xzf', archive, '-C', join(scratch, 'data')], { stdio: 'inherit' }).status, 0)
    // Twice: migrated, and as it is then.
    for (let time = 0; time < 2; time += 1) {
      const store = await openStore({ dataDir: join(scratch, 'data'), log: silentLog, clock: new FakeClock(AT + 3_600_000), retention: forever })
      try {
        await readsSpans(store)
        await readsMetrics(store)
        await readsErrorsAndStalls(store)
        await readsProfiles(store)
        await readsState(store)
      } finally {
        await store.close()
      }
    }
  })
}
