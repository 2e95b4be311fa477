// Remote write through the whole server: what is sent is what PromQL answers.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { App } from './app.ts'
import { testOptions } from './fixture.test.ts'
import { silentLog } from './runtime/log.ts'

const float = new DataView(new ArrayBuffer(8))

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))]
}

/** Fields of protobuf, by hand: the test's own writing of the protocol. */
const field = {
  bytes: (number: number, bytes: readonly number[]): number[] => [(number << 3) | 2, ...varint(bytes.length), ...bytes],
  text: (number: number, value: string): number[] => field.bytes(number, [...Buffer.from(value)]),
  int: (number: number, value: number): number[] => [...varint(number << 3), ...varint(value)],
  double: (number: number, value: number): number[] => {
    float.setFloat64(0, value, true)
    return [(number << 3) | 1, ...new Uint8Array(float.buffer)]
  },
  stale: (number: number): number[] => [(number << 3) | 1, 2, 0, 0, 0, 0, 0, 0xf0, 0x7f],
}

type Labels = Readonly<Record<string, string>>

function series(labels: Labels, ...parts: readonly (readonly number[])[]): number[] {
  return field.bytes(1, [...Object.entries(labels).flatMap(([name, value]) => field.bytes(1, [...field.text(1, name), ...field.text(2, value)])), ...parts.flat()])
}

function sample(value: number | 'stale', ts: number): number[] {
  return field.bytes(2, [...(value === 'stale' ? field.stale(1) : field.double(1, value)), ...field.int(2, ts)])
}

/** Buckets (0.5, 1] and (1, 2], five each, by spans and differences. */
function histogram(ts: number, schema = 0, deltas: readonly number[] = [10, 0]): number[] {
  return [...field.int(1, 10), ...field.double(3, 20), ...field.int(4, schema * 2), ...field.bytes(11, [...field.int(1, 0), ...field.int(2, 2)]), ...deltas.flatMap((delta) => field.int(12, delta)), ...field.int(15, ts)]
}

/** A request of the second version, whose texts stand in one table. */
class Request2 {
  readonly #texts = ['']
  readonly #series: number[] = []

  ref(text: string): number {
    const known = this.#texts.indexOf(text)
    return known >= 0 ? known : this.#texts.push(text) - 1
  }

  refs(labels: Labels): number[] {
    return field.bytes(1, Object.entries(labels).flat().flatMap((text) => varint(this.ref(text))))
  }

  series(labels: Labels, ...parts: readonly (readonly number[])[]): this {
    this.#series.push(...field.bytes(5, [...this.refs(labels), ...parts.flat()]))
    return this
  }

  bytes(): number[] {
    return [...this.#texts.flatMap((text) => field.text(4, text)), ...this.#series]
  }
}

const VERSION_2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request'
const writtenOf = ({ headers }: Response): (string | null)[] => ['samples', 'histograms', 'exemplars'].map((kind) => headers.get(`x-prometheus-remote-write-${kind}-written`))

/** One block of literals. */
function packed(body: readonly number[]): Uint8Array {
  const parts: number[] = []
  for (let at = 0; at < body.length; at += 60) {
    const part = body.slice(at, at + 60)
    parts.push((part.length - 1) << 2, ...part)
  }
  return Uint8Array.from([...varint(body.length), ...parts])
}

async function start(t: TestContext): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-remote-write-'))
  const app = new App(testOptions(dataDir), { log: silentLog })
  await app.start()
  t.after(async () => {
    await app.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return app.url
}

async function write(url: string, body: Uint8Array, type = 'application/x-protobuf'): Promise<Response> {
  return await fetch(`${url}/api/v1/write`, { method: 'POST', headers: { 'content-type': type, 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': type === VERSION_2 ? '2.0.0' : '0.1.0' }, body: Buffer.from(body) })
}

interface Answer {
  readonly data: { readonly result: readonly { readonly metric: Labels; readonly value: readonly [number, string] }[] }
}

async function query(url: string, expression: string, ms: number): Promise<[metric: Labels, value: number][]> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}&time=${ms / 1000}`)
  const body = await response.text()
  assert.equal(response.status, 200, body)
  const { data }: Answer = JSON.parse(body)
  return data.result.map(({ metric, value }) => [metric, Number(value[1])])
}

test('samples, their end, native histograms and types are answered as Prometheus has them', { timeout: 60_000 }, async (t) => {
  const url = await start(t)
  const now = Math.floor(Date.now() / 1000) * 1000
  const labels = { __name__: 'hits_total', job: 'shop', instance: 'a:9090', code: '200' }
  const body = [
    ...series(labels, ...[0, 10, 20, 5].map((value, index) => sample(value, now - 60_000 + index * 15_000))),
    ...series({ ...labels, code: '500' }, sample(1, now - 30_000), sample('stale', now - 15_000)),
    ...series({ __name__: 'seconds', job: 'shop' }, field.bytes(4, histogram(now - 15_000))),
    ...field.bytes(3, [...field.int(1, 1), ...field.text(2, 'hits_total'), ...field.text(4, 'Hits.')]),
  ]
  const answer = await write(url, packed(body))
  assert.equal(answer.status, 204, await answer.text())
  assert.deepEqual(writtenOf(answer), ['6', '1', '0'])

  assert.deepEqual(await query(url, 'hits_total', now), [[{ ...labels, service_name: 'shop' }, 5]], 'the one that ended is not there any more')
  assert.deepEqual(await query(url, 'hits_total{code="500"}', now - 20_000), [[{ ...labels, code: '500', service_name: 'shop' }, 1]])
  const [[, increased] = [{}, Number.NaN]] = await query(url, 'sum(increase(hits_total{code="200"}[1m]))', now - 15_000)
  assert.ok(increased > 24 && increased < 40, `${increased}`)
  // The middle of its observations lies at 1.
  assert.deepEqual(await query(url, 'histogram_quantile(0.5, seconds)', now), [[{ job: 'shop', service_name: 'shop' }, 1]])
  const metadata = await fetch(`${url}/api/v1/metadata?metric=hits_total`)
  assert.deepEqual(await metadata.json(), { status: 'success', data: { hits_total: [{ type: 'counter', help: 'Hits.', unit: '' }] } })
  assert.match(await (await fetch(`${url}/metrics`)).text(), /andon_ingest_points_total 7\b/)
})

test('the second version, texts by reference and all else with its series, is answered as the first', { timeout: 60_000 }, async (t) => {
  const url = await start(t)
  const now = Math.floor(Date.now() / 1000) * 1000
  const labels = { __name__: 'hits_total', job: 'shop', instance: 'a:9090', code: '200' }
  const request = new Request2()
  const metadata = field.bytes(5, [...field.int(1, 1), ...field.int(3, request.ref('Hits.'))])
  const exemplar = field.bytes(4, [...request.refs({ trace_id: '0af7651916cd43dd8448eb211c80319c' }), ...field.double(2, 7), ...field.int(3, now - 1000)])
  request
    .series(labels, ...[0, 10, 20, 5].map((value, index) => sample(value, now - 60_000 + index * 15_000)), exemplar, metadata)
    .series({ ...labels, code: '500' }, sample(1, now - 30_000), sample('stale', now - 15_000), metadata)
    .series({ __name__: 'seconds', job: 'shop' }, field.bytes(3, histogram(now - 15_000)), field.bytes(5, field.int(1, 3)))
  const answer = await write(url, packed(request.bytes()), VERSION_2)
  assert.equal(answer.status, 204, await answer.text())
  assert.deepEqual(writtenOf(answer), ['6', '1', '1'])

  assert.deepEqual(await query(url, 'hits_total', now), [[{ ...labels, service_name: 'shop' }, 5]])
  assert.deepEqual(await query(url, 'hits_total{code="500"}', now - 20_000), [[{ ...labels, code: '500', service_name: 'shop' }, 1]])
  assert.deepEqual(await query(url, 'histogram_quantile(0.5, seconds)', now), [[{ job: 'shop', service_name: 'shop' }, 1]])
  assert.deepEqual(await (await fetch(`${url}/api/v1/metadata?metric=hits_total`)).json(), { status: 'success', data: { hits_total: [{ type: 'counter', help: 'Hits.', unit: '' }] } })
  const { data } = (await (await fetch(`${url}/api/v1/query_exemplars?query=hits_total&start=${now / 1000 - 60}&end=${now / 1000}`)).json()) as { data: { exemplars: { value: string }[] }[] }
  assert.deepEqual(data.flatMap(({ exemplars }) => exemplars.map(({ value }) => value)), ['7'])
})

test('of a request with histograms that cannot be meant all others are stored, in both versions', { timeout: 60_000 }, async (t) => {
  const url = await start(t)
  const now = Math.floor(Date.now() / 1000) * 1000
  const parts = (of: string, number: number): [Labels, number[][]][] => [
    [{ __name__: 'size', job: of }, [sample(3, now)]],
    [{ __name__: 'seconds', job: of }, [field.bytes(number, histogram(now - 15_000, 9)), field.bytes(number, histogram(now)), field.bytes(number, histogram(now - 30_000, 0, [10]))]],
    [{ __name__: 'late', job: of }, [sample(3, 1000)]],
  ]
  const second = new Request2()
  for (const [labels, own] of parts('second', 3)) second.series(labels, ...own)
  for (const [of, body, type] of [['first', parts('first', 4).flatMap(([labels, own]) => series(labels, ...own)), undefined], ['second', second.bytes(), VERSION_2]] as const) {
    const answer = await write(url, packed(body), type)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /3 points were refused, all others are stored: 1 points lie .*; 2 points are histograms whose .*; seconds: a histogram's schema 9 is not known/)
    assert.deepEqual(writtenOf(answer), ['1', '1', '0'], of)
    assert.deepEqual((await query(url, `size{job="${of}"}`, now)).map(([, value]) => value), [3])
    assert.deepEqual((await query(url, `histogram_count(seconds{job="${of}"})`, now)).map(([, value]) => value), [10])
  }
  assert.match(await (await fetch(`${url}/metrics`)).text(), /andon_ingest_points_refused_total\{reason="histogram"\} 4\b/)
})

test('exemplars are found by any expression over their series, and the newest samples are federated', { timeout: 60_000 }, async (t) => {
  const url = await start(t)
  const now = Math.floor(Date.now() / 1000) * 1000
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const exemplar = field.bytes(3, [...field.bytes(1, [...field.text(1, 'trace_id'), ...field.text(2, trace)]), ...field.double(2, 0.7), ...field.int(3, now - 1000)])
  const labels = { __name__: 'seconds_bucket', job: 'shop', le: '1' }
  assert.equal((await write(url, packed([...series(labels, sample(4, now), exemplar), ...series({ __name__: 'other', job: 'shop', q: 'a"b' }, sample(0.5, now))]))).status, 204)
  const ask = async (expression: string, from: number): Promise<unknown> => (await fetch(`${url}/api/v1/query_exemplars?query=${encodeURIComponent(expression)}&start=${from / 1000}&end=${now / 1000}`)).json()
  const found = { seriesLabels: { ...labels, service_name: 'shop' }, exemplars: [{ labels: { trace_id: trace }, value: '0.7', timestamp: (now - 1000) / 1000 }] }
  assert.deepEqual(await ask('histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m]))) > on() other', now - 60_000), { status: 'success', data: [found] })
  assert.deepEqual(await ask('seconds_bucket', now - 500), { status: 'success', data: [] })
  const federated = await (await fetch(`${url}/federate?match[]=other&match[]=seconds_bucket`)).text()
  assert.match(federated, /^# TYPE other untyped$/m)
  assert.match(federated, /^other\{.*q="a\\"b".*\} 0\.5 \d+$/m)
  assert.equal((await fetch(`${url}/federate?match[]=1`)).status, 400)
})

test('what is refused is said in a way that Prometheus does not send again; all else is stored', { timeout: 60_000 }, async (t) => {
  const url = await start(t)
  const now = Math.floor(Date.now() / 1000) * 1000
  const good = series({ __name__: 'up', job: 'shop' }, sample(1, now))
  const partly = await write(url, packed([...good, ...series({ __name__: 'up', job: 'old' }, sample(1, 1000)), ...series({ job: 'nameless' }, sample(1, now))]))
  assert.equal(partly.status, 400)
  assert.match(await partly.text(), /2 points were refused, all others are stored: 1 points lie .*; a series has no name/)
  assert.equal((await query(url, 'up', now)).length, 1)
  const statuses: number[] = []
  for (const [body, type] of [[packed([9, 9, 9]), 'application/x-protobuf'], [Uint8Array.from([5, 1, 1]), 'application/x-protobuf'], [packed(good), 'application/x-protobuf;proto=what.Ever'], [packed(good), 'text/plain'], [Uint8Array.from([0xff, 0xff, 0xff, 0x7f, 0, 1]), 'application/x-protobuf']] as const) statuses.push((await write(url, body, type)).status)
  assert.deepEqual(statuses, [400, 400, 415, 415, 413])
  const plain = await fetch(`${url}/api/v1/write`, { method: 'POST', headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'zstd' }, body: Buffer.from(packed(good)) })
  assert.equal(plain.status, 415)
})
