// The comparison itself finds what it should: it is no proof otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Comparison } from './comparison.test.ts'
import type { Node } from './span-tree.test.ts'

const node = (name: string, children: readonly Node[] = [], attributes: Readonly<Record<string, string>> = {}, kind = 'client', exceptions: readonly string[] = []): Node => ({ name, kind, status: 'unset', attributes: new Map(Object.entries(attributes)), exceptions, children })

test('what differs is found: a name, an attribute, a parent, a span too few and one too many', () => {
  const comparison = new Comparison([])
  const theirs = [node('step', [node('GET', [node('GET /a', [], { 'http.route': '/a' }, 'server')]), node('SELECT')])]
  comparison.compare(theirs, theirs)
  assert.deepEqual(comparison.faults, [])
  comparison.compare([node('step', [node('POST', [], { 'server.port': '1' }), node('GET /a', [], {}, 'server')]), node('SELECT')], theirs)
  assert.deepEqual(comparison.faults, [
    'step > client POST: name: POST | theirs: GET',
    'step > client POST: server.port: 1 | theirs: (none)',
    'step > client POST: span: (none) | theirs: GET /a',
    'step: span: (none) | theirs: SELECT',
    'step: span: GET /a | theirs: (none)',
    ': span: SELECT | theirs: (none)',
  ])
})

test('what is allowed is no fault, but is one as soon as it is not needed; what hangs below an allowed span moves up', () => {
  const comparison = new Comparison([
    { field: 'span', theirs: /^middleware/, because: 'we have none' },
    { field: 'name', ours: /^GET$/, theirs: /^get$/, because: 'by the conventions' },
    { field: 'status', because: 'never' },
  ])
  comparison.compare([node('step', [node('GET')])], [node('step', [node('middleware - a', [node('get')], {}, 'internal')])])
  assert.deepEqual(comparison.faults, ['no longer needed: status (never)'])
})

test('exceptions: of spans that are taken out they move up, each once; ours must not be there twice', () => {
  const comparison = new Comparison([{ field: 'span', theirs: /^handler/, because: 'we have none' }])
  const server = (...exceptions: string[]): Node => node('GET', [], {}, 'server', exceptions)
  const theirs = node('GET', [node('handler a', [node('handler b', [], {}, 'internal', ['Error: no'])], {}, 'internal', ['Error: no'])], {}, 'server')
  comparison.compare([server('Error: no')], [theirs])
  assert.deepEqual(comparison.faults, [])
  comparison.compare([server(), server('Error: no', 'Error: no')], [theirs, theirs])
  assert.deepEqual(comparison.faults, ['GET: exceptions: (none) | theirs: Error: no', 'GET: exceptions: Error: no, Error: no | theirs: (none)'])
})
