import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleGroup } from './definition.ts'
import { OWN_RULES_MAX, type OwnRuleLog, OwnRules } from './own-rules.ts'

const SIMPLE = { metric: 'queue.depth', operator: 'gt', threshold: 100, severity: 'critical', message: 'deep' }
const PROMETHEUS = { alert: 'Down', expr: 'up == 0', for: '5m', labels: { severity: 'page' } }

/** A state log in memory, as JSON. */
class FakeLog implements OwnRuleLog {
  readonly rows: string[] = []

  append(rows: Parameters<OwnRuleLog['append']>[0]): Promise<number[]> {
    return Promise.resolve(rows.map((row) => this.rows.push(JSON.stringify({ ...row, revision: this.rows.length + 1, written: 7 }))))
  }

  latest(_kind: 'rule', { except }: { readonly except: readonly string[] }): ReturnType<OwnRuleLog['latest']> {
    const rows = this.rows.map((row): { key: string; state: string; revision: number; written: number; actor: string; doc: unknown } => JSON.parse(row))
    return Promise.resolve([...new Map(rows.map((row) => [row.key, row])).values()].filter(({ state }) => !except.includes(state)))
  }
}

async function setUp(log: FakeLog = new FakeLog()): Promise<{ log: FakeLog; own: OwnRules; changes: (readonly RuleGroup[])[]; broken: string[] }> {
  const broken: string[] = []
  const changes: (readonly RuleGroup[])[] = []
  const own = await OwnRules.open(log, { now: () => 5, broken: (id) => void broken.push(id) })
  own.onChange((groups) => Promise.resolve(void changes.push(groups)))
  return { log, own, changes, broken }
}

test('rules are stored before they are evaluated, and are there after a restart', async () => {
  const { log, own, changes } = await setUp()
  own.onChange((groups) => {
    assert.equal(log.rows.length, changes.length + 1)
    return Promise.resolve(void changes.push(groups))
  })
  await own.put('deep', SIMPLE, 'ann')
  await own.put('down', PROMETHEUS, 'bob')
  await own.put('deep', { ...SIMPLE, threshold: 200 }, 'bob')
  assert.deepEqual(changes.at(-1)?.map(({ name, file, rules }) => [name, file, rules.map((rule) => [rule.name, rule.expression])]), [['own', 'api', [['deep', '{"queue.depth"} > 200'], ['Down', 'up == 0']]]])
  assert.equal(await own.remove('down', 'ann'), true)
  assert.equal(await own.remove('down', 'ann'), false)
  const again = (await setUp(log)).own
  assert.deepEqual(again.list().map(({ id, actor, revision, definition }) => [id, actor, revision, definition]), [['deep', 'bob', 3, { ...SIMPLE, threshold: 200 }]])
  assert.deepEqual(again.groups()[0]?.rules.map(({ labels }) => labels), [{ severity: 'critical' }])
})

test('what is wrong is refused, and stored is nothing', async () => {
  const { log, own } = await setUp()
  await own.put('down', PROMETHEUS, 'ann')
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a b', SIMPLE, /is not an id/],
    ['a', { ...SIMPLE, operator: 'over' }, /operator must be/],
    ['a', { alert: 'A', expr: 'sum(' }, /expr/],
    ['a', { ...PROMETHEUS }, /the rule "down" has the name Down already/],
    ['a', { expr: 'up', record: 'a' }, /either record or alert/],
    ['a', 'up', /must be an object/],
  ]
  for (const [id, given, reason] of cases) await assert.rejects(own.put(id, given, 'ann'), { code: 'bad_rules', message: reason })
  assert.equal(log.rows.length, 1)
})

test('a threshold as applications add it is a rule of the own form', async () => {
  const { own } = await setUp()
  await own.put('slow', { id: 'slow', metric: 'board.load', operator: 'gte', threshold: 500, severity: 'warning', message: 'slow', tags: { board: '1' } }, 'andon')
  assert.deepEqual([own.get('slow')?.rule.name, own.get('slow')?.rule.expression], ['slow', '{"board.load", board="1"} >= 500'])
})

test('one that is not understood any more is left out and told; there are not too many', async () => {
  const log = new FakeLog()
  await log.append([{ kind: 'rule', key: 'old', state: 'set', service: '', severity: '', actor: 'x', doc: { metric: 5 } }])
  const { own, broken } = await setUp(log)
  assert.deepEqual([own.list(), broken], [[], ['old']])
  for (let index = 0; index < OWN_RULES_MAX; index += 1) await own.put(`r${index}`, SIMPLE, 'ann')
  await assert.rejects(own.put('more', SIMPLE, 'ann'), { code: 'overloaded' })
  await own.put('r0', SIMPLE, 'bob')
})
