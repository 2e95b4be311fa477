import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from './parse.ts'
import { print } from './print.ts'

const expressions = [
  'sum by (le) (rate(http_x_bucket{a="b", c=~"d.*"}[5m] @ 123.000 offset -1h))',
  'a + on (x) group_left (y) b * 2 ^ -3',
  '{"http.x", a!=""}',
  'avg_over_time(rate(x[5m])[1h:30s] @ end())',
  'topk(5, x) > bool 1 and y unless z',
  'histogram_quantile(0.95, sum without (a, b) (x))',
  '"a\\"b\\n"',
  '-x',
  'foo[5m:]',
  '(a == bool b)',
  'a / ignoring (x) b',
  'label_replace(up, "a", "$1", "b", "(.*)")',
  'x{"a.b"="c"} or y',
  'x offset 1d12h',
]

test('what is printed is canonical, and parses to the same again', () => {
  for (const text of expressions) {
    assert.equal(print(parse(text)), text)
    assert.equal(print(parse(print(parse(text)))), print(parse(text)))
  }
})

const value = (text: string): number => {
  const expr = parse(text)
  return expr.kind === 'number' ? expr.value : Number.NaN
}

test('numbers have all forms of PromQL', () => {
  assert.deepEqual(['1', '1.5e3', '0x1f', '5m', '1h30m', '.5', '1_000', 'Inf', '017'].map(value), [1, 1500, 31, 300, 5400, 0.5, 1000, Infinity, 15])
})

test('an error names the line and column, and what is wrong', () => {
  const cases: [string, RegExp][] = [
    ['', /^1:1: the expression is empty/],
    ['sum(fo', /^1:7: the expression ends too early/],
    ['x{', /^1:3: /],
    ['1 + foo(up)', /^1:5: there is no function "foo"/],
    ['a +\n+ * b', /^2:3: "\* b" is not expected here/],
    ['rate(x)', /^1:6: argument 1 of rate takes a range vector, not an instant vector/],
    ['x[5m] + 1', /^1:1: "\+" stands between scalars and instant vectors, not a range vector/],
    ['{a=~".*"}', /^1:1: a selector needs a name, or a matcher/],
    ['{}', /^1:1: a selector needs/],
    ['1 > 2', /needs bool/],
    ['topk(x)', /takes a parameter/],
    ['sum(1, x)', /takes no parameter/],
    ['a and 1', /stands between two instant vectors/],
    ['clamp(x, 1)', /clamp takes 3 arguments, not 2/],
    ['x[0s]', /greater than 0/],
    ['x offset 1m offset 2m', /once each/],
    ['a * on(x) group_left(x) b', /must not stand in on and in group/],
    [`${'('.repeat(500)}x${')'.repeat(500)}`, /nested more than/],
  ]
  for (const [text, message] of cases) assert.throws(() => parse(text), { code: 'bad_query', message }, text.slice(0, 30))
})
