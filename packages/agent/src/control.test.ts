import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ControlAnswer, ControlSettings, Ratio, ThresholdRule } from '@andon/model'
import fc from 'fast-check'
import { ControlClient, type WantedProfile } from './control.ts'
import { ThresholdAlerts } from './thresholds.ts'

/** The server's clock, hours away from the agent's. */
const SERVER_NOW = 1_000_000_000_000
const identity = { service: 'shop', instance: 'host:1', version: '0.1.0' }

function answer(revision: number, more: Partial<ControlSettings> = {}): string {
  const full: ControlAnswer = { revision, now: SERVER_NOW, sampling: 0.25, profile: null, thresholds: [{ rule: 'slow', metric: 'm', operator: 'gt', value: 5, severity: 'critical', message: 'the board is slow', tags: {} }], expires: SERVER_NOW + 60_000, ...more }
  return JSON.stringify(full)
}

interface Bench {
  readonly client: ControlClient
  readonly paths: string[]
  readonly applied: { sampling: Ratio | undefined; thresholds: readonly ThresholdRule[]; profile: WantedProfile | undefined }
  /** Gives the body of the read that is under way. */
  readonly give: (body: string | undefined) => Promise<void>
  readonly advance: (ms: number) => void
}

function bench(): Bench {
  let now = 5000
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  const reads: ((body: string | undefined) => void)[] = []
  const paths: string[] = []
  const applied: Bench['applied'] = { sampling: undefined, thresholds: [], profile: undefined }
  const client = new ControlClient({
    identity,
    read: (path) => new Promise((resolve) => {
      paths.push(path)
      reads.push(resolve)
    }),
    targets: {
      sampling: (ratio) => (applied.sampling = ratio),
      thresholds: (rules) => (applied.thresholds = rules),
      profile: (profile) => (applied.profile = profile),
    },
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  })
  return {
    client,
    paths,
    applied,
    give: async (body) => {
      reads.shift()?.(body)
      await new Promise((resolve) => setImmediate(resolve))
    },
    advance: (ms) => {
      const end = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
  }
}

test('a new revision is read once, applied, and told with the next request', async () => {
  const { client, paths, applied, give } = bench()
  assert.match(client.header(), /^service=shop&instance=host%3A1&version=0\.1\.0&revision=0&can=sampling%2Cthresholds%2Cprofile$/)
  client.answered('0')
  assert.deepEqual(paths, [])
  for (let count = 0; count < 5; count += 1) client.answered('7')
  assert.deepEqual(paths, ['/api/agents/host%3A1/control'])
  await give(answer(7, { profile: { until: SERVER_NOW + 10_000, rate: 100, kinds: ['cpu'] } }))
  assert.equal(applied.sampling, 0.25)
  assert.deepEqual(applied.thresholds, [{ id: 'slow', metric: 'm', operator: 'gt', threshold: 5, severity: 'critical', message: 'the board is slow', tags: {} }])
  assert.deepEqual(applied.profile, { forMs: 10_000, rate: 100, kinds: ['cpu'] })
  assert.match(client.header(), /&revision=7&/)
  client.answered('7')
  assert.equal(paths.length, 1)
})

test('a threshold that names neither severity nor message is a warning that tells its limit', async () => {
  const { client, applied, give } = bench()
  client.answered('7')
  await give(answer(7, { thresholds: [] }).replace('"thresholds":[]', '"thresholds":[{"rule":"slow","metric":"m","operator":"gt","value":5}]'))
  assert.deepEqual(applied.thresholds, [{ id: 'slow', metric: 'm', operator: 'gt', threshold: 5, severity: 'warning', message: 'm gt 5', tags: {} }])
})

test('at its end, by the server\'s clock, the agent returns to its defaults', async () => {
  const { client, applied, give, advance } = bench()
  client.answered('7')
  await give(answer(7, { expires: SERVER_NOW + 30_000 }))
  advance(29_999)
  assert.deepEqual([client.revision, applied.sampling], [7, 0.25])
  advance(1)
  assert.deepEqual([client.revision, applied], [0, { sampling: undefined, thresholds: [], profile: undefined }])
})

test('without an answer for five minutes contact is lost; with the next one the state is read again', async () => {
  const { client, paths, applied, give, advance } = bench()
  client.answered('7')
  await give(answer(7, { expires: SERVER_NOW + 86_400_000 }))
  advance(200_000)
  client.answered('7')
  advance(299_999)
  assert.equal(client.revision, 7)
  advance(1)
  assert.deepEqual([client.revision, applied.sampling, applied.thresholds], [0, undefined, []])
  client.answered('7')
  assert.equal(paths.length, 2)
})

test('when nothing is wanted any more the defaults return without a request', async () => {
  const { client, paths, applied, give } = bench()
  client.answered('7')
  await give(answer(7))
  client.answered('0')
  assert.deepEqual([client.revision, applied.sampling, paths.length], [0, undefined, 1])
})

test('a server that asks for more and more reads is asked every five seconds, after failures ever less often', async () => {
  const { client, paths, give, advance } = bench()
  client.answered('7')
  await give(answer(7))
  for (let revision = 8; revision < 40; revision += 1) client.answered(String(revision))
  assert.equal(paths.length, 1)
  advance(5000)
  client.answered('41')
  client.answered('42')
  assert.equal(paths.length, 2)
  await give(undefined)
  advance(9999)
  client.answered('42')
  assert.equal(paths.length, 2)
  advance(1)
  client.answered('42')
  assert.equal(paths.length, 3)
})

test('what is no state leaves what is in force as it is, and is no reason to throw (property)', async () => {
  const { client, applied, give, advance } = bench()
  client.answered('7')
  await give(answer(7, { expires: SERVER_NOW + 7 * 86_400_000 }))
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constantFrom(undefined, '', '[]', 'null', '{"__proto__":{"revision":1}}', answer(8, { sampling: 2 }), answer(8, { expires: SERVER_NOW + 8 * 86_400_000 }), answer(8).replace('"revision":8', '"revision":8,"run":"rm -rf /"'), `${'['.repeat(50_000)}${']'.repeat(50_000)}`),
  )
  await fc.assert(
    fc.asyncProperty(body, async (text) => {
      advance(300_000 - 1)
      client.answered('8')
      await give(text)
      assert.deepEqual([client.revision, applied.sampling], [7, 0.25])
    }),
    { numRuns: 100 },
  )
  for (const header of ['', 'x', '-1', '1e9', '7; drop', '9'.repeat(30)]) client.answered(header)
  assert.equal(client.revision, 7)
})

test('a target that throws holds up neither the others nor the host', async () => {
  let rules: readonly ThresholdRule[] = []
  const client = new ControlClient({ identity, read: () => Promise.resolve(answer(7)), targets: { sampling: () => assert.fail(), thresholds: (given) => (rules = given) } })
  client.answered('7')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(rules.length, 1)
  client.stop()
  assert.equal(rules.length, 0)
  client.answered('8')
  assert.equal(client.revision, 0)
})

test('the server\'s rules are held beside the agent\'s own, and go with their alerts', () => {
  const told: string[] = []
  const own: ThresholdRule = { id: 'own', metric: 'm', operator: 'gt', threshold: 10, severity: 'critical', message: '' }
  const alerts = new ThresholdAlerts([own], ({ rule = '' }) => told.push(rule))
  alerts.setServerRules([{ ...own, id: 'theirs', threshold: 5 }, { ...own, id: 'own', threshold: 1000 }])
  alerts.checkMetric('m', 20)
  assert.deepEqual(told, ['theirs'])
  alerts.setServerRules([])
  assert.deepEqual(alerts.getActiveAlerts(), [])
  alerts.checkMetric('m', 20)
  assert.deepEqual(told, ['theirs', 'own'])
})
