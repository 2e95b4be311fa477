import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc, { type Arbitrary } from 'fast-check'
import { SEVERITIES } from './alert.ts'
import { readAgentIdentity, writeAgentIdentity } from './agent-identity.ts'
import { adaptationAttributes, breachAttributes, inventoryAttributes, readAdaptation, readBreach, readInventory } from './agent-event.ts'
import { CONTROL_MS_MAX, type ControlSettings, type ControlThreshold, readControlAnswer, readControlSettings } from './control.ts'

const NOW = Date.UTC(2026, 0, 1)
const words = fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }).filter((text) => text.trim() !== '' && text.length <= 200 && !/\p{Cc}/u.test(text))
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

const threshold: Arbitrary<ControlThreshold> = fc.record({
  rule: words,
  metric: words,
  operator: fc.constantFrom('gt', 'gte', 'lt', 'lte', 'eq'),
  value: finite,
  severity: fc.constantFrom(...SEVERITIES),
  message: fc.oneof(fc.constant(''), words),
  tags: fc.dictionary(words, words, { maxKeys: 20, noNullPrototype: true }),
})
const settings: Arbitrary<ControlSettings> = fc.record({
  sampling: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  profile: fc.option(
    fc.record({
      until: fc.integer({ min: NOW, max: NOW + 3_600_000 }),
      rate: fc.integer({ min: 1, max: 1000 }),
      kinds: fc.constantFrom<readonly ('cpu' | 'heap')[]>(['cpu'], ['heap'], ['cpu', 'heap']),
    }),
  ),
  thresholds: fc.uniqueArray(threshold, { maxLength: 5, selector: ({ rule }) => rule }),
  expires: fc.integer({ min: NOW + 10_000, max: NOW + CONTROL_MS_MAX }),
})

test('settings within the bounds are read as they are (property)', () => {
  fc.assert(
    fc.property(settings, fc.integer({ min: 1, max: 1e9 }), (given, revision) => {
      const sent: unknown = JSON.parse(JSON.stringify(given))
      const plain = JSON.parse(JSON.stringify(given)) as ControlSettings
      assert.deepEqual(readControlSettings(sent, NOW), plain)
      assert.deepEqual(readControlAnswer({ ...plain, revision, now: NOW }), { ...plain, revision, now: NOW })
    }),
  )
})

test('any JSON is settings or a text that says what is wrong (property)', () => {
  const near = fc.record({ sampling: fc.jsonValue(), profile: fc.jsonValue(), thresholds: fc.array(fc.jsonValue()), expires: fc.jsonValue() }, { requiredKeys: [] })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), near), (value) => {
      for (const read of [readControlSettings(value, NOW), readControlAnswer(value)]) {
        if (typeof read === 'string') assert.match(read, / must be /)
      }
    }),
    { numRuns: 2000 },
  )
})

const RIGHT: ControlSettings = { sampling: 0.5, profile: null, thresholds: [{ rule: 'r', metric: 'm', operator: 'gt', value: 1, severity: 'critical', message: 'too many', tags: {} }], expires: NOW + 60_000 }
const [LIMIT] = RIGHT.thresholds

for (const [what, change, said] of [
  ['no end', { expires: undefined }, /^expires must be/],
  ['an end too near', { expires: NOW + 9999 }, /^expires must be/],
  ['an end too far', { expires: NOW + CONTROL_MS_MAX + 1 }, /^expires must be/],
  ['an end that is no number', { expires: '2027-01-01' }, /^expires must be/],
  ['a share above one', { sampling: 1.01 }, /^sampling must be/],
  ['a share of NaN', { sampling: Number.NaN }, /^sampling must be/],
  ['a key that is not known', { run: 'rm' }, /"run"/],
  ['a key that is not known within a threshold', { thresholds: [{ ...LIMIT, script: 'x' }] }, /^thresholds\[0\] .*"script"/],
  ['another operator', { thresholds: [{ ...LIMIT, operator: 'matches' }] }, /^thresholds\[0\]\.operator/],
  ['a rule twice', { thresholds: [LIMIT, LIMIT] }, /different rules/],
  ['too many thresholds', { thresholds: Array.from({ length: 201 }, (_, index) => ({ ...LIMIT, rule: `r${index}` })) }, /at most 200/],
  ['another severity', { thresholds: [{ ...LIMIT, severity: 'fatal' }] }, /^thresholds\[0\]\.severity must be one of info, warning, critical/],
  ['a message that is no text', { thresholds: [{ ...LIMIT, message: 7 }] }, /^thresholds\[0\]\.message/],
  ['a message that is too long', { thresholds: [{ ...LIMIT, message: 'x'.repeat(1001) }] }, /^thresholds\[0\]\.message/],
  ['a tag that is no text', { thresholds: [{ ...LIMIT, tags: { a: 1 } }] }, /^thresholds\[0\]\.tags\.a/],
  ['a profile that lasts too long', { profile: { until: NOW + 3_600_001, rate: 100, kinds: ['cpu'] } }, /^profile\.until/],
  ['a profile of another kind', { profile: { until: NOW + 1000, rate: 100, kinds: ['network'] } }, /^profile\.kinds/],
  ['a profile at a rate that costs too much', { profile: { until: NOW + 1000, rate: 10_000, kinds: ['cpu'] } }, /^profile\.rate/],
] as const) {
  test(`refused: ${what}`, () => {
    const read = readControlSettings({ ...RIGHT, ...change }, NOW)
    assert.ok(typeof read === 'string')
    assert.match(read, said)
  })
}

test('a threshold without severity and message, as states were stored before, is a warning without words', () => {
  const read = readControlSettings({ thresholds: [{ rule: 'r', metric: 'm', operator: 'gt', value: 1 }], expires: NOW + 60_000 }, NOW)
  assert.deepEqual(typeof read === 'string' ? read : read.thresholds, [{ rule: 'r', metric: 'm', operator: 'gt', value: 1, severity: 'warning', message: '', tags: {} }])
})

test('who an agent is survives its header; what is no such header is none (property)', () => {
  const names = words.filter((name) => encodeURIComponent(name).length < 500)
  fc.assert(
    fc.property(names, names, fc.nat(), (service, instance, revision) => {
      const identity = { service, instance, version: '0.1.0', revision, capabilities: ['sampling', 'thresholds'] }
      assert.deepEqual(readAgentIdentity(writeAgentIdentity(identity)), identity)
    }),
  )
  fc.assert(fc.property(fc.string({ maxLength: 3000 }), (text) => void readAgentIdentity(text)))
  for (const none of ['', 'service=a', 'service=a&instance=%&revision=1', 'service=a&instance=b&revision=-1', 'service=a&instance=b', `service=a&instance=b&revision=1&${'x'.repeat(2000)}`]) assert.equal(readAgentIdentity(none), undefined, none)
})

test('events of agents are read as they were written', () => {
  const tags = { region: 'eu' }
  const alert = { type: 'PERFORMANCE_THRESHOLD_EXCEEDED', rule: 'slow', metric: 'm', value: 600, threshold: 500, severity: 'warning', message: 'slow', tags } as const
  assert.deepEqual(readBreach(breachAttributes(alert)), alert)
  assert.equal(readBreach({ 'andon.threshold.rule': 7n }), undefined)
  const adaptation = { reason: 'load_fell', share: 0.01, budget: 0.05, sampling: 1, profile: 0.5 } as const
  assert.deepEqual(readAdaptation(adaptationAttributes(adaptation)), adaptation)
  for (const wrong of [{ 'andon.agent.reason': 'x' }, { 'andon.agent.budget': 'much' }, { 'andon.agent.sampling.limit': 2 }, { 'andon.agent.cpu.utilization': Number.NaN }]) assert.equal(readAdaptation({ ...adaptationAttributes(adaptation), ...wrong }), undefined)
  const items = [{ kind: 'route', name: 'GET /a' }, { kind: 'job', name: 'digest' }] as const
  assert.deepEqual(readInventory(inventoryAttributes(items), 10), items)
  assert.deepEqual(readInventory(inventoryAttributes(items), 1), [items[0]])
  assert.deepEqual(readInventory({ 'andon.inventory.route': ['GET /a', 7n, '', 'x'.repeat(301)], 'andon.inventory.job': 'digest' }, 10), [items[0]])
})
