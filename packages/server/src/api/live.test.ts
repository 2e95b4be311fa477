import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import { FakeClock } from '../runtime/clock.ts'
import { createFixture, HOST } from './fixture.test.ts'
import { LIVE_LIMITS, LiveHub, type LiveSink } from './live.ts'

const code = (expected: string) => (error: unknown): boolean => error instanceof AndonError && error.code === expected

class FakeReceiver implements LiveSink {
  readonly got: string[] = []
  open = true
  keepsUp = true
  #caughtUp: () => void = () => undefined

  write(text: string): boolean {
    this.got.push(text)
    return this.keepsUp
  }
  onDrain(caughtUp: () => void): void {
    this.#caughtUp = caughtUp
  }
  catchUp(): void {
    this.keepsUp = true
    this.#caughtUp()
  }
  close(): void {
    this.open = false
  }
  data(): unknown[] {
    return this.got.filter((text) => text.startsWith('event: data')).map((text) => JSON.parse(text.split('\ndata: ')[1] ?? ''))
  }
}

function watched(limits = LIVE_LIMITS): { hub: LiveHub; clock: FakeClock; runs: string[]; signals: AbortSignal[]; answer: { body: string; status: number } } {
  const clock = new FakeClock()
  const runs: string[] = []
  const signals: AbortSignal[] = []
  const answer = { body: '1', status: 200 }
  const hub = new LiveHub(
    (path, signal) => {
      runs.push(path)
      signals.push(signal)
      return Promise.resolve({ ...answer })
    },
    clock,
    limits,
  )
  return { hub, clock, runs, signals, answer }
}

test('a path is run once per interval however many watch it, and sent only when it differs', async () => {
  const { hub, clock, runs, answer } = watched()
  const [a, b] = [new FakeReceiver(), new FakeReceiver()]
  const [idA, idB] = [hub.open(a), hub.open(b)]
  assert.match(a.got[0] ?? '', new RegExp(`^event: hello\ndata: {"id":"${idA}"}\n\n$`))
  hub.change(idA, ['/x', '/x'], [])
  await clock.advance(0)
  hub.change(idB, ['/x'], [])
  assert.deepEqual(runs, ['/x'])
  assert.deepEqual([a.data(), b.data()], [[{ path: '/x', body: 1 }], [{ path: '/x', body: 1 }]])
  await clock.advance(5000)
  assert.equal(runs.length, 2)
  assert.equal(a.data().length, 1)
  answer.body = '2'
  await clock.advance(5000)
  assert.equal(runs.length, 3)
  assert.deepEqual(a.data().at(-1), { path: '/x', body: 2 })
  assert.deepEqual(b.data().at(-1), { path: '/x', body: 2 })
  hub.close(idA)
  await clock.advance(5000)
  assert.equal(runs.length, 4)
  hub.close(idB)
  await clock.advance(20_000)
  assert.equal(runs.length, 4)
  assert.deepEqual(hub.counts(), { streams: 0, paths: 0, dropped: 0, closedSlow: 0 })
})

test('a path that nobody watches any more is given up while it runs', async () => {
  const clock = new FakeClock()
  let aborted = false
  const hub = new LiveHub((_path, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error(String((aborted = true)))))), clock)
  const receiver = new FakeReceiver()
  const id = hub.open(receiver)
  hub.change(id, ['/slow'], [])
  await clock.advance(10_000)
  hub.change(id, [], ['/slow'])
  await clock.advance(0)
  assert.equal(aborted, true)
  assert.equal(receiver.data().length, 0)
})

test('who is behind gets the newest result of each path when it has caught up; what it missed is counted', async () => {
  const { hub, clock, answer } = watched()
  const receiver = new FakeReceiver()
  const id = hub.open(receiver)
  receiver.keepsUp = false
  hub.change(id, ['/x'], [])
  await clock.advance(0)
  for (const body of ['2', '3', '4']) {
    answer.body = body
    await clock.advance(5000)
  }
  assert.equal(hub.counts().dropped, 2)
  receiver.catchUp()
  assert.deepEqual(receiver.data(), [{ path: '/x', body: 1 }, { path: '/x', body: 4 }])
})

test('who takes nothing for half a minute is closed; others get a heartbeat', async () => {
  const { hub, clock } = watched()
  const [slow, quick] = [new FakeReceiver(), new FakeReceiver()]
  slow.keepsUp = false
  hub.open(slow)
  hub.open(quick)
  await clock.advance(45_000)
  assert.equal(slow.open, false)
  assert.equal(quick.open, true)
  assert.equal(quick.got.filter((text) => text.startsWith(':')).length, 3)
  assert.deepEqual(hub.counts(), { streams: 1, paths: 0, dropped: 0, closedSlow: 1 })
})

test('errors of a path arrive as problem, in one shape', async () => {
  const { hub, clock, answer } = watched()
  const receiver = new FakeReceiver()
  const id = hub.open(receiver)
  Object.assign(answer, { status: 400, body: '{"status":"error","errorType":"bad_data","error":"parse error"}' })
  hub.change(id, ['/x'], [])
  await clock.advance(0)
  assert.equal(receiver.got.at(-1), 'event: problem\ndata: {"path":"/x","error":{"code":"bad_data","message":"parse error","hint":""}}\n\n')
})

test('streams, paths of a stream and paths in all are bounded', () => {
  const { hub } = watched({ ...LIVE_LIMITS, streams: 2, pathsPerStream: 2, paths: 3 })
  const [first, second] = [hub.open(new FakeReceiver()), hub.open(new FakeReceiver())]
  assert.throws(() => hub.open(new FakeReceiver()), code('overloaded'))
  hub.change(first, ['/a', '/b'], [])
  assert.throws(() => hub.change(first, ['/c'], []), code('too_large'))
  hub.change(second, ['/b', '/c'], [])
  assert.throws(() => hub.change(second, ['/d', '/e'], ['/b', '/c']), code('overloaded'))
  assert.throws(() => hub.change('unknown', [], []), code('not_found'))
})

test('over HTTP: hello, a subscription, its result at once; closing the connection removes the stream', async () => {
  const { app, hub } = await createFixture()
  const port = new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port
  const stream = request({ port, path: '/api/live', headers: { host: HOST } })
  stream.end()
  const [response] = (await once(stream, 'response')) as [IncomingMessage]
  assert.equal(response.headers['content-type'], 'text/event-stream; charset=utf-8')
  const [hello] = (await once(response, 'data')) as [Buffer]
  const { id } = JSON.parse(String(hello).split('data: ')[1] ?? '') as { id: string }
  const post = (subscribe: string[]): Promise<number> =>
    app.inject({ method: 'POST', url: `/api/live/${id}`, headers: { host: HOST }, payload: { subscribe } }).then((answer) => answer.statusCode)
  const arrived = once(response, 'data') as Promise<[Buffer]>
  assert.equal(await post(['/api/status']), 204)
  const [pushed] = await arrived
  assert.match(String(pushed), /^event: data\ndata: {"path":"\/api\/status","body":{"version":"0.0.0"/)
  for (const path of ['/api/live', '/api/spans/trace/1', '/v1/traces', '/api/status/../traces', 'http://evil.example/api/status']) assert.equal(await post([path]), 400, path)
  const gone = once(response, 'close')
  stream.destroy()
  await gone.catch(() => undefined)
  for (let turn = 0; turn < 100 && hub.counts().streams > 0; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(hub.counts().streams, 0)
  await app.close()
})
