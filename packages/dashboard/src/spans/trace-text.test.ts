import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TraceSpan } from '../api/client.ts'
import { attributeText, matchingSpans } from './trace-text.ts'

const span = (id: string, name: string, attributes: Record<string, unknown>, status = 'ok'): TraceSpan => ({
  id,
  parent: null,
  service: 'kanban',
  name,
  kind: 'server',
  startOffsetUs: 0,
  durationUs: 1,
  status,
  attributes,
  statusMessage: '',
  resource: 0,
  scope: { name: '', version: '' },
  events: [],
  links: [],
})
const spans = [span('a', 'GET /api/boards', { 'http.response.status_code': 200 }), span('b', 'SELECT tasks', { 'db.system': 'postgresql' }, 'error')]
const found = (text: string): string => [...(matchingSpans(spans, text) ?? ['all'])].join(' ')

test('spans are found by name, service, id, status and attribute', () => {
  assert.equal(found('boards'), 'a')
  assert.equal(found('KANBAN'), 'a b')
  assert.equal(found('db.system=post'), 'b')
  assert.equal(found('status_code=200'), 'a')
  assert.equal(found('error'), 'b')
  assert.equal(found('b'), 'a b')
  assert.equal(found('nowhere'), '')
  assert.equal(found('  '), 'all')
})

test('attributes as text', () => {
  assert.equal(attributeText('x'), 'x')
  assert.equal(attributeText([1, 'a']), '[1,"a"]')
  assert.equal(attributeText(undefined), '')
})
