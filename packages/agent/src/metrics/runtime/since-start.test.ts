import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AgentMeterProvider } from '../meter.ts'
import { SinceStart } from './since-start.ts'

test('what the machine counted before the agent is no traffic of the first interval', () => {
  const provider = new AgentMeterProvider()
  const meter = provider.getMeter('test')
  const io = meter.createObservableCounter('io')
  const since = new SinceStart()
  const totals = { a: 20_000_000_000, b: 5 }
  meter.addBatchObservableCallback((result) => Object.entries(totals).forEach(([name, total]) => since.observe(result, io, total, { name })), [io])
  const collect = (): Record<string, number> => {
    const [record] = provider.collect({ attributes: {}, droppedAttributes: 0, schemaUrl: '' }, { start: 1n, time: 2n })
    return record?.data.type === 'sum' ? Object.fromEntries(record.data.points.map(({ attributes, value }) => [typeof attributes['name'] === 'string' ? attributes['name'] : '', value])) : {}
  }
  assert.deepEqual(collect(), { a: 0, b: 0 })
  totals.a += 300
  totals.b += 1
  assert.deepEqual(collect(), { a: 300, b: 1 })
})
