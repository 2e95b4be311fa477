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
  'increase(x[5m] anchored offset 1m)',
  'x smoothed @ 5.000',
  'a + on (x) group_left () fill_left (5) fill_right (-Inf) b',
  'h </ 1.5',
  'h >/ on (x) y',
  'info(x, {a="b"})',
  'rate(x[step() + 1] offset -min_of(range(), 1h))',
  'avg_over_time(x[range():step()] offset (2 * step()))',
  'histogram_quantiles(x, "q", 0.5, 0.9)',
  'time() - x > 1d12h',
  '-5m ^ 2s',
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

test('numbers may end in a point, and signs stand off', () => {
  assert.equal(print(parse('1./6. + 2.')), '1 / 6 + 2')
  assert.equal(print(parse('x{a="1./2."}')), 'x{a="1./2."}')
  assert.equal(print(parse('- - - 1')), '---1')
  // A power binds more closely than the sign.
  assert.equal(print(parse('- -2 ^ 2')), '--2 ^ 2')
  assert.equal(parse('-2 ^ 2').kind, 'unary')
})

const rangeOf = (text: string): number => {
  const expr = parse(text, { step: 10_000, range: 60_000 })
  return expr.kind === 'range' ? expr.range : expr.kind === 'selector' ? expr.offset : Number.NaN
}

test('durations are calculated, from the step and the range of the query too', () => {
  const cases: Record<string, number> = {
    'x[2m*(10+5)]': 1_800_000,
    'x[1h30m % 1h]': 1_800_000,
    'x[-5m+35m]': 1_800_000,
    'x[STEP()+1]': 11_000,
    'x[min_of(range(), 1h)]': 60_000,
    'x[MAX_OF(step(), 1ms)]': 10_000,
    'x offset -(step() * 2)': -20_000,
    'x offset min_of(step(), 3s)': 3000,
    'x offset (max_of(1s, min_of(step(), 2s)) + 1)': 3000,
    'x[0.3*10]': 3000,
  }
  for (const [text, expected] of Object.entries(cases)) assert.equal(rangeOf(text), expected, text)
  assert.throws(() => parse('x[step()-10]', { step: 10_000, range: 0 }), { code: 'bad_query', message: /greater than 0/ })
  assert.throws(() => parse('x[5m/0]'), { code: 'bad_query', message: /division by zero/ })
})

test('min_of and max_of are functions of scalars where no duration stands', () => {
  for (const text of ['min_of(1, 2)', 'x * max_of(time(), 5)', 'sum_over_time(x[5m]) + min_of(1, 2)', 'x offset 5m + min_of(1, 2)', 'rate(x[5m] offset 5m) > max_of(1, start())']) assert.equal(print(parse(text)), text)
  assert.throws(() => parse('min_of(x, 2)'), { code: 'bad_query', message: /argument 1 of min_of takes a scalar/ })
})

test('@ and offset belong to the selector that they follow', () => {
  assert.equal(print(parse('-x @ 100')), '-x @ 100.000')
  assert.equal(print(parse('a @ 50 + b @ 100 offset 5m')), 'a @ 50.000 + b @ 100.000 offset 5m')
  assert.equal(print(parse('a offset 5m or b offset 10m')), 'a offset 5m or b offset 10m')
})

test('a hostile text is refused in time linear in it', () => {
  const started = process.cpuUsage()
  const unit = 60_000
  const hostile = ['"\\', 'min_of(', 'offset (', '((', '{a=~"(*)*', 'a-(', '[step(', '1.', '- ', "'`", '#\n', 'x offset -'].map((part) => part.repeat(unit / part.length))
  for (const text of [...hostile, `{a=~"${'(*)*'.repeat(10_000)}x"}`, `${'a'.repeat(unit)}-(`]) {
    try {
      parse(text)
    } catch (error) {
      assert.equal(error instanceof Error && 'code' in error && error.code, 'bad_query', text.slice(0, 20))
    }
  }
  assert.ok(process.cpuUsage(started).user < 30_000_000, `${process.cpuUsage(started).user} µs`)
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
    ['x anchored', /anchored follows a range only/],
    ['x[5m:] smoothed', /smoothed follows no subquery/],
    ['a + fill(0) 1', /fill stands between two instant vectors/],
    ['a and fill(0) b', /fill stands between/],
    ['info(x, y offset 5m)', /argument 2 of info is matchers/],
    ['a * on(x) group_left(x) b', /must not stand in on and in group/],
    [`${'('.repeat(500)}x${')'.repeat(500)}`, /nested more than/],
  ]
  for (const [text, message] of cases) assert.throws(() => parse(text), { code: 'bad_query', message }, text.slice(0, 30))
})
