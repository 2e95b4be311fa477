import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc from 'fast-check'
import type { SpanFilter } from '../../store/span-filter.ts'
import { fieldOfTag } from './fields.ts'
import { parseTraceQl } from './parse.ts'

/** A filter as a text with all its parentheses. */
function shown(filter: SpanFilter): string {
  switch (filter.kind) {
    case 'all':
    case 'any':
      return `(${filter.of.map(shown).join(filter.kind === 'all' ? ' && ' : ' || ')})`
    case 'not':
      return `!${shown(filter.of)}`
    case 'compare': {
      const { field, operator, value } = filter
      const name = 'intrinsic' in field ? field.intrinsic : `${field.scope}.${field.key}`
      return `${name} ${operator} ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}`
    }
  }
}

function spans(query: string): string {
  const { filter } = parseTraceQl(query)
  assert.ok(filter.kind === 'spans', query)
  return shown(filter.filter)
}

test("what Grafana's search builder writes", () => {
  for (const [query, expected] of [
    ['{}', '()'],
    ['{resource.service.name="shop"}', 'resource.service.name = "shop"'],
    ['{resource.service.name="shop" && name="GET /cart" && duration>1s && status=error && span.http.status_code=500}', '(resource.service.name = "shop" && name = "GET /cart" && duration > 1000000000 && status = "error" && span.http.status_code = 500n)'],
    ['{resource.service.name=~"shop|bank" && .http.method!="GET"}', '(resource.service.name =~ "shop|bank" && any.http.method != "GET")'],
    ['{(resource.service.name="shop" || resource.service.name="bank") && traceDuration>=1.5s && traceDuration<2m30s}', '((resource.service.name = "shop" || resource.service.name = "bank") && traceDuration >= 1500000000 && traceDuration < 150000000000)'],
    ['{name=~"GET \\\\/cart\\\\?x|b"}', 'name =~ "GET \\\\/cart\\\\?x|b"'],
    ['{kind=server && rootServiceName="shop" && rootName!="x" && statusMessage!~"a.*"}', '(kind = "server" && rootService = "shop" && rootName != "x" && statusMessage !~ "a.*")'],
    ['{event.exception.type="Error" && link.x="y" && event:name="exception" && instrumentation:name="pg"}', '(event.exception.type = "Error" && link.x = "y" && eventName = "exception" && scopeName = "pg")'],
    ['{span.retry=true && span.ratio>=0.5 && span.n=-3 && span.user=nil && resource.zone!=nil}', '(span.retry = true && span.ratio >= 0.5 && span.n = -3n && span.user = null && resource.zone != null)'],
    ['{span:id="1111111111111111" && trace:id="a" && span:duration>5ms}', '(spanId = "1111111111111111" && traceId = "a" && duration > 5000000)'],
    ['{span."a b".c="x" && span.app/k8s-1="y"}', '(span.a b.c = "x" && span.app/k8s-1 = "y")'],
  ] as const) {
    assert.equal(spans(query), expected)
  }
})

test('what is written by hand: precedence, negation, flipped sides, comments, raw texts, truth values alone', () => {
  assert.equal(spans('{ .a = 1 || .b = 2 && .c = 3 }'), '(any.a = 1n || (any.b = 2n && any.c = 3n))')
  assert.equal(spans('{ !(.a = 1) && !.b }'), '(!any.a = 1n && !any.b = true)')
  assert.equal(spans('{ 5ms < duration && "x" = .y }'), '(duration > 5000000 && any.y = "x")')
  assert.equal(spans('{ // first\n .a = `\\d+` /* last */ }'), 'any.a = "\\\\d+"')
  assert.equal(spans('{ true }'), '()')
  assert.equal(spans('{ false || .a }'), '(() || any.a = true)')
  assert.equal(spans('{ .a = 9223372036854775808 }'), 'any.a = 9223372036854776000')
})

test('sets of spans are joined; select adds fields; most_recent changes nothing', () => {
  const { filter, fields } = parseTraceQl('({.a=1} || {.b=2}) && {} | select(span.c, resource.d, status) with(most_recent=true)')
  assert.ok(filter.kind === 'allOf')
  assert.deepEqual(filter.of.map(({ kind }) => kind), ['anyOf', 'spans'])
  assert.deepEqual(fields.map(({ name }) => name), ['.a', '.b', 'span.c', 'resource.d', 'status'])
})

test('what is not supported is refused with its column and what to do', () => {
  for (const [query, message, hint] of [
    ['{} >> {}', /structural operator >> is not supported at column 4/, /single spans/],
    ['{.a=1} | rate()', /the stage "rate" is not supported at column 10/, /PromQL/],
    ['{.a=1} | count() > 3', /the stage "count" is not supported/, /select/],
    ['{duration>1}', undefined, undefined],
    ['{duration>"1s"}', /duration is a duration, which "1s" is not at column 11/, /unit/],
    ['{name=5}', /name is a text, which 5n? is not/, /quotes/],
    ['{status="error"}', /status is a status, which "error" is not/, /unset, ok, error/],
    ['{status=server}', /status is a status/, /unset/],
    ['{resource.service.name=shop}', /"shop" is no field and no value at column 24/, /texts stand in quotes: "shop"/],
    ['{service.name="x"}', /"service\.name" is no field/, /\.service\.name, span\.service\.name/],
    ['{.a > nil}', /nil has no order/, /./],
    ['{.a =~ 5}', /=~ takes a text/, /./],
    ['{duration =~ "5"}', /duration is a duration/, /./],
    ['{.a + 1 = 2}', /arithmetic is not supported/, /./],
    ['{.a = .b}', /only a field and a value can be compared/, /./],
    ['{parent.a = 1}', /the scope parent is not supported/, /./],
    ['{instrumentation.a = 1}', /the scope instrumentation is not supported/, /instrumentation:name/],
    ['{childCount > 2}', /childCount is not kept/, /./],
    ['{.a = "x}', /a text without its closing quote at column 7/, /./],
    ['{.a = 12abc}', /a number that cannot be read/, /quotes/],
    ['{.a = 1', /} is missing at column 8/, /./],
    ['', /a set of spans in braces is missing/, /resource\.service\.name/],
    ['{} with(sample=0.5)', /the hint "sample" is not known/, /./],
    ['{. = 1}', /an attribute without a name/, /./],
    ['{' + '('.repeat(200), /more than 100 levels/, /./],
    [`{${'!'.repeat(200)}.a}`, /more than 100 levels/, /./],
  ] as const) {
    if (message === undefined) {
      assert.doesNotThrow(() => parseTraceQl(query))
      continue
    }
    assert.throws(() => parseTraceQl(query), (error) => {
      assert.ok(error instanceof AndonError, query)
      assert.equal(error.code, 'bad_query')
      assert.match(error.message, message, query)
      assert.match(error.hint, hint, query)
      return true
    })
  }
})

test('texts of any characters come through their quotes; whatever is sent is parsed or refused', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => assert.equal(spans(`{.a = ${JSON.stringify(text)}}`), `any.a = ${JSON.stringify(text)}`)))
  const pieces = fc.constantFrom('{', '}', '(', ')', '&&', '||', '!', '=', '!=', '>', '=~', '|', 'select', 'name', '.a', 'span.b', 'status', 'error', '"x"', '5', '1.5s', 'nil', ' ', '-', 'with', 'true', '`', "'", '\\')
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 15 }), (drawn) => {
      try {
        parseTraceQl(drawn.join(' '))
      } catch (error) {
        assert.ok(error instanceof AndonError && error.code === 'bad_query', String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('tags by all their names', () => {
  assert.deepEqual(fieldOfTag('resource.service.name').field, { scope: 'resource', key: 'service.name' })
  assert.deepEqual(fieldOfTag('.http.route').field, { scope: 'any', key: 'http.route' })
  assert.deepEqual(fieldOfTag('http.route').field, { scope: 'any', key: 'http.route' })
  assert.deepEqual(fieldOfTag('span:kind').field, { intrinsic: 'kind' })
  assert.deepEqual(fieldOfTag('constructor').field, { scope: 'any', key: 'constructor' })
})
