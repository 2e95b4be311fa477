import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FastifyInstance } from 'fastify'
import { FakeLog } from '../control/fake-log.test.ts'
import { Engine } from '../query/engine.ts'
import { MemorySource } from '../query/memory/memory-source.ts'
import { Backtests } from '../rules/backtests.ts'
import { OwnRules } from '../rules/own-rules.ts'
import { FakeClock } from '../runtime/clock.ts'
import { createFixture, HOST, NOW } from './fixture.test.ts'
import { RULES } from './openapi/rules.ts'
import { registerOwnRulesApi } from './rules-own.ts'

const DAY = 86_400_000
const headers = { host: HOST }

async function setUp(): Promise<{ app: FastifyInstance; own: OwnRules }> {
  const clock = new FakeClock(NOW)
  const source = new MemorySource()
  for (let time = NOW - DAY; time <= NOW; time += 60_000) source.add({ __name__: 'depth', queue: 'a' }, time, time >= NOW - DAY / 2 && time < NOW - DAY / 4 ? 9 : 1)
  const engine = new Engine(source, { querySamples: 1_000_000, querySteps: 11_000, queryMs: 60_000 })
  const own = await OwnRules.open(new FakeLog(clock), { now: () => NOW, broken: () => undefined })
  const backtests = new Backtests({ engine, clock, intervalMs: 60_000, queryOffsetMs: 0, externalLabels: {} })
  // The guard belongs to the API that is made around it.
  const guard = { actor: () => ({ name: 'local', role: 'admin' as const }) }
  const { app } = await createFixture({ more: (server) => registerOwnRulesApi(server, { own, backtests, guard }) })
  return { app, own }
}

function conforms(operation: keyof typeof RULES, answer: unknown): void {
  const described = RULES[operation]?.answer
  assert.ok(typeof described === 'object' && 'schema' in described)
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(described.schema)
  assert.ok(validate(answer), JSON.stringify(validate.errors))
}

const SIMPLE = { id: 'deep', metric: 'depth', operator: 'gt', threshold: 5, recovery: 3, severity: 'critical', message: 'deep' }

test('a rule is tried, made, replaced and removed', async () => {
  const { app, own } = await setUp()
  const dry = await app.inject({ method: 'POST', url: '/api/rules/own?dry_run=true&days=2', headers, payload: SIMPLE })
  assert.equal(dry.statusCode, 200, dry.body)
  conforms('POST /api/rules/own', dry.json())
  const { backtest, rule } = dry.json<{ backtest: { count: number; isShorter: boolean; episodes: { peak: number; start: number; end: number }[] }; rule: { recovery: string } }>()
  assert.deepEqual([backtest.count, backtest.isShorter, backtest.episodes[0]?.peak, rule.recovery, own.list().length], [1, true, 9, 'depth{} > 3', 0])
  assert.ok(Math.abs((backtest.episodes[0]?.end ?? 0) - (backtest.episodes[0]?.start ?? 0) - DAY / 4) <= 120_000)

  const made = await app.inject({ method: 'POST', url: '/api/rules/own', headers, payload: SIMPLE })
  assert.deepEqual([made.statusCode, made.json<{ rule: { id: string; actor: string } }>().rule.id, own.list().length], [200, 'deep', 1])
  conforms('POST /api/rules/own', made.json())
  const twice = await app.inject({ method: 'POST', url: '/api/rules/own', headers, payload: SIMPLE })
  assert.deepEqual([twice.statusCode, twice.json<{ error: { code: string } }>().error.code], [400, 'bad_body'])
  const put = await app.inject({ method: 'PUT', url: '/api/rules/own/deep', headers, payload: { alert: 'Deep', expr: 'depth > 7', for: '1m' } })
  assert.equal(put.statusCode, 200, put.body)
  const list = await app.inject({ url: '/api/rules/own', headers })
  conforms('GET /api/rules/own', list.json())
  conforms('GET /api/rules/own/:id', (await app.inject({ url: '/api/rules/own/deep', headers })).json())
  assert.deepEqual(list.json<{ rules: { alert: string; expression: string; forMs: number }[] }>().rules.map(({ alert, expression, forMs }) => [alert, expression, forMs]), [['Deep', 'depth > 7', 60_000]])
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/rules/own/deep', headers })).statusCode, 204)
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/rules/own/deep', headers })).statusCode, 404)
})

test('a file is tested rule by rule; what is wrong is named', async () => {
  const { app } = await setUp()
  const rules = 'groups: [{ name: g, interval: 2m, rules: [{ alert: A, expr: depth > 5 }, { alert: B, expr: depth > 50 }, { record: r, expr: depth }] }]\nsimple: [{ id: C, metric: depth, operator: lt, threshold: 5 }]'
  const ask = async (payload: object): Promise<{ status: number; body: { results: { alert: string; count: number; intervalMs: number }[]; error?: { code: string; message: string } } }> => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/api/rules/backtest', headers, payload })
    return { status: statusCode, body: JSON.parse(body) as { results: { alert: string; count: number; intervalMs: number }[] } }
  }
  const all = await ask({ rules, file: 'f.yaml', days: 1 })
  conforms('POST /api/rules/backtest', all.body)
  assert.deepEqual(all.body.results.map(({ alert, count, intervalMs }) => [alert, count, intervalMs]), [['A', 1, 120_000], ['B', 0, 120_000], ['C', 2, 60_000]])
  assert.deepEqual((await ask({ rules, only: 'B', days: 1, interval: '5m' })).body.results.map(({ alert, intervalMs }) => [alert, intervalMs]), [['B', 300_000]])
  assert.deepEqual((await ask({ rule: { expr: 'depth > 5' }, days: 0.5 })).body.results.map(({ alert, count }) => [alert, count]), [['backtest', 1]])
  const cases: readonly (readonly [object, string, RegExp])[] = [
    [{}, 'bad_body', /either rules/],
    [{ rules, days: 91 }, 'bad_body', /days/],
    [{ rules, interval: '1ms' }, 'bad_body', /interval/],
    [{ rules, only: 'Z' }, 'bad_body', /no rule of the name/],
    [{ rules, more: 1 }, 'bad_body', /no "more"/],
    [{ rules: 'groups:\n  - nope: 1', file: 'f.yaml' }, 'bad_rules', /f\.yaml:2/],
  ]
  for (const [payload, code, message] of cases) {
    const { status, body } = await ask(payload)
    assert.deepEqual([status, body.error?.code], [400, code])
    assert.match(body.error?.message ?? '', message)
  }
})
