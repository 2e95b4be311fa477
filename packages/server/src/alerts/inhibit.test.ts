import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Labels } from '@andon/model'
import fc from 'fast-check'
import { FiringAlerts, InhibitRules, TopologyInhibition } from './inhibit.ts'
import type { InhibitRule } from './inhibit-rule.ts'
import { allMatch, parseMatchers } from './matcher.ts'

const sources = (...all: readonly Labels[]): FiringAlerts => new FiringAlerts(all.map((labels, index) => ({ fingerprint: String(index), labels })))

/** As Alertmanager's documentation says it, one by one. */
function reference(rules: readonly InhibitRule[], labels: Labels, { all }: FiringAlerts): string[] {
  return all
    .filter((source) =>
      rules.some(({ source: from, target: to, equal }) => {
        const isBoth = (given: Labels): boolean => allMatch(from)(given) && allMatch(to)(given)
        return allMatch(from)(source.labels) && allMatch(to)(labels) && equal.every((name) => (source.labels[name] ?? '') === (labels[name] ?? '')) && !(isBoth(labels) && isBoth(source.labels))
      }),
    )
    .map(({ fingerprint }) => fingerprint)
}

test('rules hold back what Alertmanager says they do', () => {
  const labels = fc.record({ a: fc.constantFrom('1', '2'), b: fc.constantFrom('1', '2'), c: fc.constantFrom('', '1') })
  const matchers = fc.constantFrom('a=1', 'a!=1', 'b=~"1|2"', 'a=1,b=2', 'c=""', 'c!=""').map(parseMatchers)
  const rule = fc.record({ source: matchers, target: matchers, equal: fc.subarray(['a', 'b', 'c']) })
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 3 }), labels, fc.array(labels, { maxLength: 8 }), (rules, target, firing) => {
      const all = sources(...firing)
      assert.deepEqual(new InhibitRules(rules).inhibitors(target, all).toSorted(), reference(rules, target, all))
    }),
    { numRuns: 500 },
  )
})

test('ten thousand alerts of a rule are looked at in time', () => {
  const all = sources(...Array.from({ length: 10_000 }, (_, index) => ({ severity: index % 2 === 0 ? 'critical' : 'warning', host: String(index) })))
  const rules = new InhibitRules([{ source: parseMatchers('severity=critical'), target: parseMatchers('severity=warning'), equal: ['host'] }])
  const begun = process.hrtime.bigint()
  for (const { labels } of all.all) rules.inhibitors(labels, all)
  assert.ok(Number(process.hrtime.bigint() - begun) < 5e9)
})

const of = (service: string, severity: string): Labels => ({ service_name: service, severity })

test('the map is asked for what is behind a service, once a minute', async () => {
  const calls: Readonly<Record<string, readonly string[]>> = { a: ['b'], b: ['c'], c: [], loop1: ['loop2'], loop2: ['loop1'] }
  const asked: string[] = []
  let now = 0
  const topology = new TopologyInhibition((service) => {
    asked.push(service)
    return Promise.resolve(calls[service] ?? [])
  }, () => now)
  const firing = sources(of('c', 'warning'), of('a', 'critical'), of('loop1', 'critical'))
  assert.deepEqual(await topology.inhibitors(of('a', 'warning'), firing), ['0'])
  assert.deepEqual(await topology.inhibitors(of('a', 'critical'), firing), [])
  assert.deepEqual(await topology.inhibitors(of('c', 'info'), firing), [])
  assert.deepEqual(await topology.inhibitors(of('loop2', 'info'), firing), [])
  assert.deepEqual(await topology.inhibitors({ severity: 'info' }, firing), [])
  const before = asked.length
  await topology.inhibitors(of('b', 'info'), firing)
  assert.equal(asked.length, before)
  now += 60_000
  await topology.inhibitors(of('b', 'info'), firing)
  assert.ok(asked.length > before)
})
