import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attributes, labelsKey, type Resource } from '@andon/model'
import { defaultLimits } from '../runtime/limits.ts'
import type { SamplePoint } from './points.ts'
import { type Placed, SeriesBook } from './series.ts'
import { writtenSample } from './written-points.ts'

const HOUR = 3_600_000
const resource = (name: string): Resource => ({ attributes: { 'service.name': name }, droppedAttributes: 0, schemaUrl: '' })
const shop = resource('shop')

interface Given {
  readonly attributes?: Attributes
  readonly delta?: boolean
  readonly name?: string
  readonly from?: Resource
}

function point({ attributes = {}, delta = true, name = 'hits_total', from = shop }: Given): SamplePoint {
  return { kind: 'sample', resource: from, name, attributes, extra: {}, type: 'counter', ts: 0, start: 0, stale: false, exemplars: [], value: 1, delta }
}

const book = (limits: { seriesPerMetric?: number; seriesInMemory?: number }): SeriesBook => new SeriesBook({ ...defaultLimits, ...limits })
const shown = (placed: Placed): string => (placed === undefined ? 'dropped' : placed.overflow ? 'gathered' : 'own')

test('the limit holds for each service and metric apart, and for increments and others alike', () => {
  const series = book({ seriesPerMetric: 2 })
  const place = (user: string, more: Given = {}): string => shown(series.place(point({ attributes: { user }, ...more }), 0))
  assert.deepEqual(['a', 'b', 'c', 'd', 'a'].map((user) => place(user)), ['own', 'own', 'gathered', 'gathered', 'own'])
  assert.deepEqual(['e', 'a'].map((user) => place(user, { delta: false })), ['dropped', 'own'])
  assert.equal(place('a', { name: 'other_total' }), 'own')
  assert.equal(place('a', { from: resource('bank') }), 'own')
  const [first, second] = [series.place(point({ attributes: { user: 'x' } }), 0), series.place(point({ attributes: { user: 'y' } }), 0)]
  assert.equal(first?.series, second?.series)
  assert.deepEqual({ ...first?.series.labels, instance: undefined }, { __name__: 'hits_total', job: 'shop', instance: undefined, service_name: 'shop', deployment_environment_name: '', service_version: '', otel_metric_overflow: 'true' })
})

test('what was silent for an hour makes room; what comes back is counted again', () => {
  const series = book({ seriesPerMetric: 2 })
  const place = (user: string, now: number): string => shown(series.place(point({ attributes: { user } }), now))
  place('a', 0)
  place('b', HOUR / 2)
  assert.equal(place('c', HOUR), 'gathered')
  assert.equal(place('c', HOUR + 1), 'gathered', 'looked through once in ten seconds: it may be full of what arrives')
  assert.equal(place('c', HOUR + 10_000), 'own')
  assert.equal(place('a', HOUR + 20_000), 'own', 'its id is still known')
  assert.equal(place('d', HOUR + 40_000), 'gathered')
})

test('the limit on all series holds whatever their services and metrics; what is silent is forgotten', () => {
  const series = book({ seriesInMemory: 10 })
  const place = (index: number, now: number, delta = true): string => shown(series.place(point({ name: `m${index}_total`, from: resource(`s${index}`), delta }), now))
  assert.deepEqual(Array.from({ length: 10 }, (_, index) => place(index, 0)), Array.from({ length: 10 }, () => 'own'))
  assert.equal(place(10, 1, false), 'dropped')
  assert.equal(place(11, 1), 'gathered', 'room for what gathers is a tenth more')
  assert.equal(place(12, 1), 'dropped')
  assert.equal(series.size, 11)
  assert.equal(place(0, HOUR), 'own')
  assert.equal(place(13, HOUR + 10_001), 'own')
  assert.equal(series.size, 2, 'the one that was active, and the new one')
})

test('long labels take the room of several series', () => {
  const series = book({ seriesInMemory: 10 })
  const long = (user: string): string => shown(series.place(point({ attributes: { user: user.repeat(4000) }, delta: false }), 0))
  assert.deepEqual(['a', 'b', 'c', 'd'].map(long), ['own', 'own', 'own', 'dropped'])
})

test('characters that part labels from each other do not make a series another one', () => {
  const series = book({})
  const plain = series.place(point({ attributes: { a: 'x', b: 'y' } }), 0)
  const forged = series.place(point({ attributes: { a: 'x\u001Eb\u001Fy' } }), 0)
  assert.notEqual(plain?.series.id, forged?.series.id)
  assert.equal(forged?.series.labels['a'], 'x\uFFFDb\uFFFDy')
  const written = series.place(writtenSample({ __name__: 'w', a: 'x\u001Eb\u001Fy' }, { type: 'gauge', ts: 0, value: 1 }), 0)
  assert.equal(written?.series.labels['a'], 'x\uFFFDb\uFFFDy')
  const named = series.place(point({ from: resource('shop\u001Ejob\u001Fx') }), 0)
  assert.ok(!labelsKey(named?.series.labels ?? {}).includes('shop\u001Ejob'))
})

test('attributes named as methods of every object are labels like any other', () => {
  const { series } = book({}).place(point({ attributes: { constructor: 'a', 'to.string': 'b', __proto__x: 'c' } }), 0) ?? assert.fail()
  assert.equal(series.labels['constructor'], 'a')
  assert.equal(Object.hasOwn(series.labels, 'exported_constructor'), false)
})

const writtenLabels = (given: Record<string, string>): Record<string, string> => ({ ...book({}).place(writtenSample({ __name__: 'up', ...given }, { type: 'gauge', ts: 0, value: 1 }), 0)?.series.labels })

test('job and service of a series that brings its labels: its own, filled from the job', () => {
  assert.deepEqual(writtenLabels({ job: 'shop', instance: 'a:1', env: 'x' }), { __name__: 'up', job: 'shop', instance: 'a:1', env: 'x', service_name: 'shop' })
  assert.equal(writtenLabels({ job: 'shop', service_name: 'cart' })['service_name'], 'cart')
})

test('namespace, environment and version of a service are on each of its series; host and process where it names no instance', () => {
  const from: Resource = { attributes: { 'service.namespace': 'eu', 'service.name': 'shop', 'service.version': '2', 'deployment.environment.name': 'prod', 'host.name': 'h', 'process.pid': 7n }, droppedAttributes: 0, schemaUrl: '' }
  const { series } = book({}).place(point({ from }), 0) ?? assert.fail()
  assert.deepEqual({ ...series.labels }, { __name__: 'hits_total', job: 'eu/shop', instance: 'h:7', service_name: 'shop', deployment_environment_name: 'prod', service_version: '2' })
})
