import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Matcher, matches, matchersProblem, matchersText, parseMatchers } from './matchers.ts'

test('matchers are read as people type them', () => {
  assert.deepEqual(parseMatchers('{service="kanban", severity=~"page|ticket",env!=test}'), [
    { name: 'service', operator: '=', value: 'kanban' },
    { name: 'severity', operator: '=~', value: 'page|ticket' },
    { name: 'env', operator: '!=', value: 'test' },
  ])
  assert.deepEqual(parseMatchers(' '), [])
  for (const wrong of ['service', '="x"', 'a="b" c="d"', 'a="b', '1a=b']) assert.equal(parseMatchers(wrong), null, wrong)
})

test('what is written is read again, whatever the values hold', () => {
  const matcher = fc.record({ name: fc.stringMatching(/^[a-z_]\w{0,8}$/), operator: fc.constantFrom('=', '!=', '=~', '!~'), value: fc.string() }, { noNullPrototype: true }) as fc.Arbitrary<Matcher>
  fc.assert(fc.property(fc.array(matcher, { maxLength: 4 }), (matchers) => assert.deepEqual(parseMatchers(matchersText(matchers)), matchers)))
})

test('a missing label is an empty one, and patterns hold for the whole value', () => {
  const labels = { service: 'kanban', severity: 'page' }
  const holds = (text: string): boolean => matches(parseMatchers(text) ?? [], labels)
  assert.deepEqual(['service=kanban', 'service=~kan', 'service=~kan.*', 'team=""', 'team!=x', 'severity!~page|ticket', 'severity=~"("'].map(holds), [true, false, true, true, true, false, false])
})

test('a silence of everything is refused', () => {
  assert.match(matchersProblem([]) ?? '', /everything/)
  assert.match(matchersProblem(parseMatchers('service=~.*')) ?? '', /match every alert/)
  assert.match(matchersProblem(parseMatchers('service=a, x=~"("')) ?? '', /not a regular expression/)
  assert.equal(matchersProblem(parseMatchers('service=kanban')), null)
})
