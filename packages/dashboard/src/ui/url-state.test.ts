import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSearch, readShellSearch, readSpansSearch, readTraceSearch, selectionOf, stringifySearch } from './url-state.ts'

test('a query string survives the round trip, repeated keys included', () => {
  const search = { from: '2026-11-24T11:00:00Z', to: 'now', attr: ['http.route=/api/boards/:id', 'user=a&b'], service: 'kanban' }
  const text = stringifySearch(search)
  assert.deepEqual(parseSearch(text), search)
  assert.match(text, /from=2026-11-24T11:00:00Z/)
  assert.equal(stringifySearch({ a: undefined, b: '' }), '')
})

test('a key named like a built-in does no harm', () => {
  assert.deepEqual(parseSearch('?constructor=1'), { constructor: '1' })
})

test('the shell reads its part and leaves out what is default or wrong', () => {
  assert.deepEqual(readShellSearch({ from: 'now-1h', to: 'now', tz: 'utc', live: 'off' }), { from: 'now-1h', to: 'now', tz: 'utc', live: 'off' })
  assert.deepEqual(readShellSearch({ from: 'now-15m', to: 'now' }), {})
  assert.deepEqual(readShellSearch({ from: 'now-1h' }), { from: 'now-1h', to: 'now' })
  assert.deepEqual(readShellSearch({ from: 'nonsense', tz: 'mars', live: 'yes' }), {})
})

test('trace filters keep only what can be a filter', () => {
  assert.deepEqual(readSpansSearch(parseSearch('?service=kanban&status=error&minDuration=100ms&attr=a%3D1&attr=bad')), {
    service: 'kanban',
    status: 'error',
    minDuration: '100ms',
    attr: ['a=1'],
  })
  assert.deepEqual(readSpansSearch({ status: 'maybe', attr: 'k=v' }), { attr: ['k=v'] })
  assert.deepEqual(readTraceSearch({ span: 'abc', find: '' }), { span: 'abc' })
})

test('an empty URL is the default time', () => {
  assert.deepEqual(selectionOf({}), { from: 'now-15m', to: 'now' })
})
