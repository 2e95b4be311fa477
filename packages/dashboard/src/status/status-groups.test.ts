import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldWords, statusGroups, unitOf } from './status-groups.ts'

test('units come from the names of fields', () => {
  assert.equal(unitOf('residentBytes'), 'bytes')
  assert.equal(unitOf('rss'), 'bytes')
  assert.equal(unitOf('uptimeSeconds'), 'seconds')
  assert.equal(unitOf('flushMs'), 'milliseconds')
  assert.equal(unitOf('spans'), 'count')
  assert.equal(unitOf('liveStreams'), 'count')
  assert.equal(unitOf('queryTimeoutMs'), 'milliseconds')
})

test('names are written as words without their unit', () => {
  assert.equal(fieldWords('uptimeSeconds'), 'Uptime')
  assert.equal(fieldWords('acceptedSpans'), 'Accepted spans')
  assert.equal(fieldWords('andon_ingest_total'), 'Andon ingest total')
  assert.equal(fieldWords('bytes'), 'Bytes')
})

test('objects become groups, loose fields the server, losses an alarm', () => {
  const groups = statusGroups({
    version: '0.1.0',
    uptimeSeconds: 90,
    store: { bytes: 1024, rows: { spans: 5 } },
    ingest: { rejectedSpans: 2, refusedLogs: 0 },
    limits: { rejectedMost: 7, engine: 'embedded' },
  }, 'utc')
  assert.deepEqual(
    groups.map((group) => group.title),
    ['Server', 'Store', 'Ingest', 'Limits'],
  )
  assert.deepEqual(groups[1]?.facts.map((fact) => [fact.name, fact.value, fact.unit]), [
    ['Bytes', 1024, 'bytes'],
    ['Rows · spans', 5, 'count'],
  ])
  assert.deepEqual(
    groups[2]?.facts.map((fact) => fact.alarming),
    [true, false],
  )
  assert.deepEqual(
    groups[3]?.facts.map((fact) => [fact.text, fact.alarming]),
    [
      ['', false],
      ['embedded', false],
    ],
  )
})

test('a list of things with names and bytes is a group of its own', () => {
  const groups = statusGroups({ store: { bytes: 9, tables: [{ name: 'samples', rows: 6099, bytes: 28_725 }] } }, 'utc')
  assert.deepEqual(groups.map(({ title }) => title), ['Store', 'Tables'])
  assert.deepEqual(groups[1]?.facts, [{ name: 'samples', value: 28_725, text: '', unit: 'bytes', note: '6,099 rows', alarming: false }])
})
