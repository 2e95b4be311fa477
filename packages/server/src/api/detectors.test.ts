import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReleaseComparison } from '@andon/model'
import fastify, { type FastifyInstance } from 'fastify'
import { DeployBook, type DeployEntry } from '../detect/deploy-book.ts'
import { compareRelease } from '../detect/regression.ts'
import { Watch } from '../detect/watch.ts'
import { FakeClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { registerDeploysApi } from './deploys.ts'
import { registerDetectorsApi } from './detectors.ts'
import { registerErrors } from './errors.ts'
import { answerOf, conforms, type Document } from './openapi/conforms.test.ts'
import { DETECTORS } from './openapi/detectors.ts'
import { openApiDocument } from './openapi/document.ts'

const NOW = Date.UTC(2026, 0, 5, 12)
const SLICE = 15_000
const FACTS = { slowLimit: 0.25, isFromSpans: false }

/** Answers by both files of routes, over a watch of one service and a book of releases. */
async function bench(): Promise<{ readonly app: FastifyInstance; readonly log: DeployEntry[]; readonly document: Document }> {
  const clock = new FakeClock(NOW)
  const log: DeployEntry[] = []
  const watch = new Watch({ externalUrl: '', maxSeries: 10, facts: () => FACTS })
  const count = 600
  const values = Float64Array.from({ length: count }, (_, index) => 0.1 + 0.001 * (index % 7))
  const of = { service: 'shop', environment: 'prod', key: '' }
  await watch.take({ start: NOW - count * SLICE, count, series: [{ id: { ...of, signal: 'p95' }, values, counts: new Float64Array(count).fill(200) }, { id: { ...of, signal: 'slow' }, values: new Float64Array(count).fill(4), counts: new Float64Array(count).fill(200) }] })
  const book = await DeployBook.open({ append: (rows) => Promise.resolve(log.push(...rows)), latest: () => Promise.resolve([]) }, NOW)
  const app = fastify()
  registerErrors(app, silentLog)
  registerDetectorsApi(app, { series: () => watch.series, find: (id) => watch.find(id), progress: () => ({ until: NOW, isReplaying: false }), factsOf: () => FACTS, clock })
  const compare = (id: string): Promise<ReleaseComparison> => Promise.resolve(compareRelease(book.find(id), { start: NOW - 3_600_000, count: 240, series: [{ id: { ...of, signal: 'p95' }, values: values.subarray(0, 240), counts: new Float64Array(240).fill(200) }] }, NOW))
  registerDeploysApi(app, { book, compare, guard: { actor: () => ({ name: 'ci', role: 'editor' }) }, clock })
  const routes = Object.keys(DETECTORS).map((key) => ({ method: key.split(' ')[0] ?? '', path: key.split(' ')[1] ?? '', role: 'viewer', live: false }) as const)
  const document = JSON.parse(JSON.stringify(openApiDocument(routes, { operations: DETECTORS, schemas: {}, version: '0' }))) as Document
  return { app, log, document }
}

interface Listed {
  readonly detectors: readonly { readonly id: string; readonly signal: string; readonly state: string; readonly because: string; readonly expected: number; readonly high: number }[]
  readonly total: number
}

test('detectors are listed with what is expected and why they are in their state, and one is told with its alarms', async () => {
  const { app, document } = await bench()
  const answer = await app.inject('/api/detectors?service=shop')
  const { detectors, total } = answer.json<Listed>()
  conforms(document, answerOf(document, 'GET /api/detectors'), answer.json(), 'detectors')
  assert.deepEqual([total, detectors.map(({ signal, state }) => [signal, state])], [2, [['p95', 'silent'], ['slow', 'silent']]])
  const [p95, slow] = detectors
  assert.match(p95?.because ?? '', /^its history is 0\.1 days long; 7\.0 days are needed/)
  assert.ok(p95 && Math.abs(p95.expected - 0.103) < 0.005 && p95.high > p95.expected && p95.high < 0.2, JSON.stringify(p95))
  const one = await app.inject(`/api/detectors/${slow?.id}`)
  conforms(document, answerOf(document, 'GET /api/detectors/:id'), one.json(), 'detector')
  assert.equal(one.json<{ slowLimit: number }>().slowLimit, 0.25)
  assert.deepEqual((await app.inject('/api/detectors?firing=true')).json<Listed>().detectors, [])
  assert.equal((await app.inject('/api/detectors/nothing')).statusCode, 404)
  assert.equal((await app.inject('/api/detectors?state=odd')).statusCode, 400)
})

test('a release is marked once, listed, and compared', async () => {
  const { app, log, document } = await bench()
  const post = async (payload: object): Promise<string> => (await app.inject({ method: 'POST', url: '/api/deploys', payload })).body
  const first = await post({ service: 'shop', version: '1.2', note: 'a1b2c3', at: 'now-5m' })
  conforms(document, answerOf(document, 'POST /api/deploys'), JSON.parse(first), 'deploy')
  const { id, actor, at } = JSON.parse(first) as { id: string; actor: string; at: number }
  assert.deepEqual([actor, at, log.length], ['ci', NOW - 300_000, 1])
  assert.equal(await post({ service: 'shop', version: '1.2', note: 'a1b2c3', at: NOW - 300_000 }), first)
  assert.equal(log.length, 1)
  await post({ service: 'other', version: '7' })
  const listed = await app.inject('/api/deploys')
  conforms(document, answerOf(document, 'GET /api/deploys'), listed.json(), 'deploys')
  assert.deepEqual(listed.json<{ deploys: { version: string }[] }>().deploys.map(({ version }) => version), ['7', '1.2'])
  assert.deepEqual((await app.inject('/api/deploys?service=shop&from=now-1h')).json<{ deploys: { version: string }[] }>().deploys.length, 1)
  const compared = await app.inject(`/api/deploys/${id}`)
  conforms(document, answerOf(document, 'GET /api/deploys/:id'), compared.json(), 'comparison')
  assert.equal((await app.inject('/api/deploys/nothing')).statusCode, 404)
})

test('a marker that is wrong is refused with the key that is wrong', async () => {
  const { app, log } = await bench()
  for (const [payload, message] of [
    [{ version: '1' }, /"service"/],
    [{ service: 'shop', version: '' }, /"version"/],
    [{ service: 'shop', version: '1', at: NOW + 86_400_000 }, /"at"/],
    [{ service: 'shop', version: '1', note: 'x'.repeat(3000) }, /"note"/],
    [{ service: 'shop', version: '1', stage: 'prod' }, /"stage" is not known/],
  ] as const) {
    const answer = await app.inject({ method: 'POST', url: '/api/deploys', payload })
    assert.equal(answer.statusCode, 400, JSON.stringify(payload))
    assert.match(answer.json<{ error: { message: string } }>().error.message, message)
  }
  assert.equal(log.length, 0)
})
