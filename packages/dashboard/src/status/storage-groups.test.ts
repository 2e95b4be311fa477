import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusGroups } from './status-groups.ts'
import { diskGroup, retentionGroup } from './storage-groups.ts'

const NOON = Date.UTC(2026, 10, 24, 12)
const disk = { state: 'ok', totalBytes: 1000, freeBytes: 333, dropBelowBytes: 100, refuseBelowBytes: 10, dropped: [] }
const table = (name: string, signal: string, more: object = {}): object => ({ name, kind: 'raw', signal, configuredDays: 7, days: 7, oldest: NOON, bytes: 1, ...more })

test('the disk: its room, its marks, and the last five drops with their days', () => {
  const drops = Array.from({ length: 7 }, (_, index) => ({ time: NOON, table: index === 0 ? 'samples_1h' : 'spans', id: index === 0 ? '202610' : `2026112${index}`, bytes: index, rows: 1, newest: 0 }))
  const { facts = [] } = diskGroup({ ...disk, state: 'tight', dropped: drops }, 'utc') ?? {}
  assert.deepEqual(facts.slice(0, 5), [
    { name: 'Room', value: null, text: 'Above the mark', unit: null, alarming: true },
    { name: 'Size', value: 1000, text: '', unit: 'bytes', alarming: false },
    { name: 'Free', value: 333, text: '', unit: 'bytes', alarming: false, note: '33 %' },
    { name: 'Drops the oldest below', value: 100, text: '', unit: 'bytes', alarming: false },
    { name: 'Refuses telemetry below', value: 10, text: '', unit: 'bytes', alarming: false },
  ])
  assert.deepEqual(facts.slice(5).map(({ name, value, note }) => [name, value, note]), [
    ['Dropped samples_1h of 2026-10', 0, '2026-11-24 12:00'],
    ...[1, 2, 3, 4].map((index) => [`Dropped spans of 2026-11-2${index}`, index, '2026-11-24 12:00']),
  ])
})

test('a full disk is an alarm; one that only refuses says that nothing is dropped', () => {
  const { facts = [] } = diskGroup({ ...disk, state: 'full', dropBelowBytes: null }, 'utc') ?? {}
  assert.deepEqual([facts[0]?.text, facts[0]?.alarming, facts[3]?.name, facts[3]?.text], ['Full, telemetry is refused', true, 'Drops the oldest data', 'never'])
})

test('retention: each signal with its days and its oldest data, without lookup tables', () => {
  const { facts = [] } = retentionGroup([table('samples', 'rawDays'), table('hist', 'rawDays', { oldest: NOON - 86_400_000 }), table('spans', 'spansDays', { configuredDays: 3, days: 3, oldest: null }), table('series', 'rawDays', { kind: 'lookup', configuredDays: 400, days: 400 })], 'utc') ?? {}
  assert.deepEqual(facts, [
    { name: 'Samples and histograms', value: 7 * 86_400, text: '', unit: 'seconds', alarming: false, note: 'since 2026-11-23' },
    { name: 'Spans', value: 3 * 86_400, text: '', unit: 'seconds', alarming: false },
  ])
})

test('what the database keeps for another time than is configured is an alarm', () => {
  const { facts = [] } = retentionGroup([table('spans', 'spansDays', { days: 30 }), table('stalls', 'spansDays', { days: null })], 'utc') ?? {}
  assert.deepEqual(facts.map(({ alarming, note }) => [alarming, note]), [[true, 'in the database: spans 30 d, stalls for ever']])
})

test('a server that says nothing of them, or something else, is shown as it is', () => {
  assert.deepEqual([diskGroup(undefined, 'utc'), diskGroup({ state: 5 }, 'utc'), retentionGroup(undefined, 'utc'), retentionGroup([{ name: 'x' }, 5], 'utc')], [undefined, undefined, undefined, undefined])
  const groups = statusGroups({ store: { bytes: 1, retention: [table('spans', 'spansDays')], tables: [{ name: 'spans', rows: 1, bytes: 2 }] }, disk }, 'utc')
  assert.deepEqual(groups.map(({ title }) => title), ['Store', 'Retention', 'Tables', 'Disk'])
  assert.deepEqual(statusGroups({ disk: { free: 1 } }, 'utc').map(({ title, facts }) => [title, facts.length]), [['Disk', 1]])
})
