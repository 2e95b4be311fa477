import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attributes, ExceptionRecord, Resource } from '@andon/model'
import { encodeEvents, encodeExceptions, type LogEvent } from '@andon/wire'
import { FakeClock } from '../runtime/clock.ts'
import { defaultLimits } from '../runtime/limits.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { EventIngest } from './events.ts'
import { type EventSink, ExceptionIngest } from './exceptions.ts'

const clock = new FakeClock()
const now = BigInt(clock.now()) * 1_000_000n
const DAY = 86_400_000_000_000n
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
const resource = (name: string): Resource => ({ attributes: { 'service.name': name }, droppedAttributes: 0, schemaUrl: '' })
const context = { clock, own: new OwnMetrics(), retentionDays: 7, limits: { ...defaultLimits, gatherMs: 0, attributeLength: 10 } }

function exceptionOf(more: Partial<ExceptionRecord>): ExceptionRecord {
  return { time: now, type: 'E', message: 'm', stack: 's', handled: true, traceId: '', spanId: '', attributes: {}, resource: resource('shop'), scope, ...more }
}

function eventOf(name: string, attributes: Attributes = {}, more: Partial<LogEvent> = {}): LogEvent {
  return { name, time: now, traceId: '', spanId: '', attributes, resource: resource('shop'), scope, ...more }
}

interface Setting {
  readonly ingest: ExceptionIngest
  readonly stored: ExceptionRecord[]
  readonly said: unknown[]
}

function setting(events: EventSink = { accept: () => Promise.resolve(0) }): Setting {
  const stored: ExceptionRecord[] = []
  const said: unknown[] = []
  const log = { ...silentLog, info: (_message: string, fields?: object) => void said.push(fields) }
  return { ingest: new ExceptionIngest({ write: (exceptions) => Promise.resolve(void stored.push(...exceptions)) }, events, context, log), stored, said }
}

test('records with an exception become errors, those out of time are refused; long texts are cut', async () => {
  const { ingest, stored } = setting()
  const times = [now, now + 9n * 60_000_000_000n, now + 11n * 60_000_000_000n, now - 7n * DAY, now - 8n * DAY, 1n << 63n]
  const answer = await ingest.accept(encodeExceptions(times.map((time) => exceptionOf({ time, type: 't'.repeat(2000), message: 'x'.repeat(11), stack: 'y'.repeat(50), attributes: { a: 'z'.repeat(11) } }))), 'protobuf')
  assert.equal(answer.rejected, 3)
  assert.match(answer.message, /^3 errors lie in the future or before the retention/)
  assert.deepEqual(stored.map(({ time }) => time), [times[0], times[1], times[3]])
  const [first] = stored
  assert.deepEqual([first?.type.length, first?.message, first?.stack.length, first?.attributes['a']], [1024, 'x'.repeat(10), 40, 'z'.repeat(10)])
})

test('other records are refused by partial success, and that is said once for each service', async () => {
  const { ingest, said } = setting()
  const send = async (service: string): Promise<{ rejected: number; message: string }> => await ingest.accept(encodeEvents([eventOf('some.log', {}, { resource: resource(service) })]), 'protobuf')
  for (const service of ['shop', 'shop', 'bank']) assert.deepEqual(await send(service), { rejected: 1, message: '1 log records are neither errors nor events that Andon knows, and it keeps no logs' })
  assert.deepEqual(said, [{ service: 'shop' }, { service: 'bank' }])
})

test('a store that does not take events just now asks for the request again', async () => {
  const { ingest } = setting({ accept: () => Promise.reject(new Error('disk')) })
  await assert.rejects(ingest.accept(encodeEvents([eventOf('andon.inventory')]), 'protobuf'), { code: 'unavailable', status: 503 })
})

test('what agents say of thresholds is handed on, kept once where one was exceeded, and asked for again where it was not taken', async () => {
  const rows: { kind: string }[] = []
  const told: string[] = []
  let isBroken = false
  const events = new EventIngest({
    ...context,
    state: { append: (all) => Promise.resolve(all.map((row) => rows.push(row))) },
    inventory: { write: () => Promise.resolve() },
    stalls: { write: () => Promise.resolve() },
    breaches: { accept: (all) => (isBroken ? Promise.reject(new Error('not now')) : Promise.resolve(void told.push(...all.map(({ what, rule, service }) => `${service} ${rule} ${what}`)))) },
  })
  const { ingest } = setting(events)
  const breach = { 'andon.threshold.rule': 'r', 'andon.threshold.type': 't', 'andon.threshold.value': 1, 'andon.threshold.limit': 2, 'andon.threshold.severity': 'warning' }
  const sent = encodeEvents(['exceeded', 'lasting', 'ended', 'unheard'].map((what) => eventOf(`andon.threshold.${what}`, breach)))
  assert.equal((await ingest.accept(sent, 'protobuf')).rejected, 1)
  assert.deepEqual([told.map((each) => each.split(' ').slice(1).join(' ')), rows.map(({ kind }) => kind)], [['r exceeded', 'r lasting', 'r ended'], ['breach']])
  isBroken = true
  await assert.rejects(ingest.accept(sent, 'protobuf'), { code: 'unavailable' })
})

test('events of agents out of time, of no known name or without what they must say are refused and counted', async () => {
  const rows: { kind: string }[] = []
  const inventories: unknown[] = []
  const events = new EventIngest({
    ...context,
    state: { append: (all) => Promise.resolve(all.map((row) => rows.push(row))) },
    inventory: { write: (all) => Promise.resolve(void inventories.push(...all)) },
    stalls: { write: () => Promise.resolve() },
  })
  const { ingest } = setting(events)
  const breach = { 'andon.threshold.rule': 'r', 'andon.threshold.type': 't', 'andon.threshold.value': 1, 'andon.threshold.limit': 2, 'andon.threshold.severity': 'warning' }
  const sent = [
    eventOf('andon.threshold.exceeded', breach),
    eventOf('andon.threshold.exceeded', breach, { time: 1n }),
    eventOf('andon.threshold.exceeded', {}),
    eventOf('andon.inventory', { 'andon.inventory.route': ['GET /'] }),
    eventOf('andon.inventory', {}, { time: 1n << 63n }),
    eventOf('andon.not.known'),
  ]
  const { rejected } = await ingest.accept(encodeEvents(sent), 'protobuf')
  assert.equal(rejected, 4)
  assert.deepEqual([rows.map(({ kind }) => kind), inventories.length], [['breach'], 1])
})
