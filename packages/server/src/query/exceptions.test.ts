import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ErrorGroup, ErrorVersion } from '../store/exceptions.ts'
import { ErrorReader, type ErrorSource, type Release } from './exceptions.ts'

const range = { start: 1000, end: 601_000 }
const group = (id: string, service: string): ErrorGroup => ({ id, service, type: 'TypeError', message: `m${id}`, count: 3, unhandled: 1, firstInRange: 5000, lastInRange: 9000, routes: ['/cart'] })
const seen = (id: string, version: string, firstSeen: number): ErrorVersion => ({ service: 'shop', id, version, firstSeen, lastSeen: firstSeen + 1, count: 1 })

const releases: readonly Release[] = [{ service: 'shop', version: '1', since: 0 }, { service: 'shop', version: '2', since: 100 }, { service: 'shop', version: '3', since: 200 }, { service: 'bank', version: '1', since: 0 }]
const source: ErrorSource = {
  groups: (_query, limit, id) => Promise.resolve([group('10', 'shop'), group('20', 'shop'), group('30', 'shop'), group('40', 'bank')].filter((each) => id === undefined || each.id === id).slice(0, limit)),
  versions: () => Promise.resolve([seen('10', '1', 10), seen('10', '3', 210), seen('20', '2', 110), seen('20', '3', 220), seen('30', '3', 230)]),
  releases: () => Promise.resolve(releases),
  events: () => Promise.resolve([]),
  routes: () => Promise.resolve([{ route: '/cart', count: 3 }]),
  course: () => Promise.resolve(new Map([[1000, 2], [11_000, 1]])),
}

test('a group is new in the version that brought it, where there was an earlier one', async () => {
  const reader = new ErrorReader(source)
  const all = await reader.list({ range }, 10)
  assert.deepEqual(
    all.map(({ id, newIn, isNew, firstSeen, lastSeen }) => [id, newIn, isNew, firstSeen, lastSeen]),
    [['10', null, false, 10, 9000], ['20', '2', false, 110, 9000], ['30', '3', true, 230, 9000], ['40', null, false, 5000, 9000]],
  )
  assert.deepEqual((await reader.list({ range }, 10, '2')).map(({ id }) => id), ['20', '30'])
  assert.deepEqual((await reader.list({ range }, 1, '2')).map(({ id }) => id), ['20'])
  assert.deepEqual(await reader.list({ range }, 10, '9'), [])
})

test('one group tells its course, and an unknown one nothing', async () => {
  const reader = new ErrorReader(source)
  const one = await reader.one('20', { range }, 5)
  assert.deepEqual([one?.id, one?.versions.map(({ version }) => version), one?.t.length, one?.counts.slice(0, 3), one?.byRoute], ['20', ['2', '3'], 60, [2, 1, 0], [{ route: '/cart', count: 3 }]])
  assert.equal(await reader.one('50', { range }, 5), undefined)
})
