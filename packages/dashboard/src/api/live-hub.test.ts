import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveHub, TAB_TIMEOUT, type ToTab } from './live-hub.ts'
import type { LiveEvent } from './live-state.ts'

function hubWithTabs(): { hub: LiveHub; asked: LiveEvent[]; got: Map<string, ToTab[]>; tell: (id: string, kind: 'want' | 'unwant' | 'bye', path?: string, now?: number) => void } {
  const asked: LiveEvent[] = []
  const got = new Map<string, ToTab[]>()
  const hub = new LiveHub({ take: (event) => asked.push(event) })
  const tell = (id: string, kind: 'want' | 'unwant' | 'bye', path = '/a', now = 0): void => {
    const list = got.get(id) ?? []
    got.set(id, list)
    hub.receive(id, kind === 'bye' ? { kind } : { kind, path }, (message) => list.push(message), now)
  }
  return { hub, asked, got, tell }
}

const data = (messages: readonly ToTab[] | undefined): unknown[] => (messages ?? []).flatMap((m) => (m.kind === 'data' ? [m.body] : []))

test('an answer goes to every tab that wants it and to no other', () => {
  const { hub, got, tell } = hubWithTabs()
  tell('one', 'want')
  tell('two', 'want')
  tell('three', 'want', '/b')
  hub.data('/a', 1)
  assert.deepEqual([data(got.get('one')), data(got.get('two')), data(got.get('three'))], [[1], [1], []])
})

test('a tab that joins gets the newest answer at once', () => {
  const { hub, got, tell } = hubWithTabs()
  tell('one', 'want')
  hub.data('/a', 1)
  hub.data('/a', 2)
  tell('two', 'want')
  assert.deepEqual(data(got.get('two')), [2])
})

test('a path is given up when the last tab that wants it is gone, also without a word', () => {
  const { hub, asked, tell } = hubWithTabs()
  tell('one', 'want', '/a', 0)
  tell('two', 'want', '/a', TAB_TIMEOUT)
  tell('one', 'unwant', '/a', 0)
  assert.equal(asked.filter((event) => event.kind === 'unwant').length, 0)
  hub.sweep(2 * TAB_TIMEOUT)
  assert.equal(asked.filter((event) => event.kind === 'unwant').length, 0)
  hub.sweep(2 * TAB_TIMEOUT + 1)
  assert.deepEqual(asked.at(-1), { kind: 'unwant', path: '/a' })
})

test('an answer to a path that nobody wants any more is not kept', () => {
  const { hub, got, tell } = hubWithTabs()
  tell('one', 'want')
  tell('one', 'bye')
  hub.data('/a', 1)
  tell('two', 'want')
  assert.deepEqual(data(got.get('two')), [])
})

test('every tab learns the phase, a new one at its first word', () => {
  const { hub, got, tell } = hubWithTabs()
  tell('one', 'want')
  hub.phase('open', 0)
  tell('two', 'want')
  assert.deepEqual(got.get('one')?.at(-1), { kind: 'phase', phase: 'open', attempt: 0 })
  assert.deepEqual(got.get('two')?.[0], { kind: 'phase', phase: 'open', attempt: 0 })
})
