// The active context over everything by which Node calls back.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { EventEmitter, on, once } from 'node:events'
import { readFile } from 'node:fs'
import { AsyncResource } from 'node:async_hooks'
import { createInterface } from 'node:readline'
import { PassThrough, pipeline as streamPipeline, Readable, Transform, Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { setInterval as setIntervalPromise, setTimeout as setTimeoutPromise } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MessageChannel } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import { context, createContextKey, ROOT_CONTEXT } from '@opentelemetry/api'
import fc from 'fast-check'
import { AsyncContextManager } from './context.ts'

const KEY = createContextKey('test')

before(() => void context.setGlobalContextManager(new AsyncContextManager()))
after(() => context.disable())

function now(): unknown {
  return context.active().getValue(KEY)
}

function within<T>(value: string, run: () => T): T {
  return context.with(ROOT_CONTEXT.setValue(KEY, value), run)
}

async function* contexts(): AsyncGenerator {
  for (let count = 0; count < 3; count += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    yield now()
  }
}

async function waitIn(sequence: readonly string[], value: string): Promise<void> {
  for (const name of sequence) {
    assert.equal(await WAYS[name]?.(), value, name)
    assert.equal(now(), value, name)
  }
}

/** One way of waiting, that settles with what is active then. */
const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
  await: async () => {
    await Promise.resolve()
    return now()
  },
  'promise.then': () => Promise.resolve().then(now),
  catch: () => Promise.reject(new Error('x')).catch(now),
  finally: async () => {
    const seen: unknown[] = []
    await Promise.resolve().finally(() => void seen.push(now()))
    return seen[0]
  },
  setTimeout: () => new Promise((resolve) => setTimeout(() => resolve(now()), 1)),
  setInterval: () =>
    new Promise((resolve) => {
      const timer = setInterval(() => {
        clearInterval(timer)
        resolve(now())
      }, 1)
    }),
  setImmediate: () => new Promise((resolve) => setImmediate(() => resolve(now()))),
  nextTick: () => new Promise((resolve) => process.nextTick(() => resolve(now()))),
  queueMicrotask: () => new Promise((resolve) => queueMicrotask(() => resolve(now()))),
  readFile: () => new Promise((resolve) => readFile(import.meta.filename, () => resolve(now()))),
  gzip: () => new Promise((resolve) => gzip('x', () => resolve(now()))),
  execFile: () => new Promise((resolve) => execFile(process.execPath, ['--version'], () => resolve(now()))),
  'promisified execFile': async () => {
    await promisify(execFile)(process.execPath, ['--version'])
    return now()
  },
  pipeline: async () => {
    const seen: unknown[] = []
    const transform = new Transform({ transform: (chunk, _encoding, done) => (seen.push(now()), done(null, chunk)) })
    await pipeline(Readable.from(['a', 'b']), transform, new Writable({ write: (_chunk, _encoding, done) => (seen.push(now()), setImmediate(done)) }))
    assert.equal(new Set(seen).size, 1)
    return seen[0]
  },
  'for await over a stream': async () => {
    const seen = new Set<unknown>()
    for await (const chunk of Readable.from(['a', 'b', 'c'])) if (chunk !== '') seen.add(now())
    assert.equal(seen.size, 1)
    return [...seen][0]
  },
  'async generator': async () => {
    const seen = new Set<unknown>()
    for await (const value of contexts()) seen.add(value).add(now())
    assert.equal(seen.size, 1)
    return [...seen][0]
  },
  'events.on': async () => {
    const emitter = new EventEmitter()
    const events = on(emitter, 'x')
    within('the emitter', () => setImmediate(() => emitter.emit('x')))
    await events.next()
    return now()
  },
  'events.once': async () => {
    const emitter = new EventEmitter()
    within('the emitter', () => setImmediate(() => emitter.emit('x')))
    await once(emitter, 'x')
    return now()
  },
  'events.on in a loop': async () => {
    const emitter = new EventEmitter()
    const seen = new Set<unknown>()
    const ended = new AbortController()
    within('the emitter', () => setImmediate(() => ['a', 'b', 'end'].forEach((each) => emitter.emit('x', each))))
    for await (const [each] of on(emitter, 'x', { signal: ended.signal })) {
      seen.add(now())
      if (each === 'end') break
    }
    assert.equal(seen.size, 1)
    return [...seen][0]
  },
  'readline in a loop': async () => {
    const seen = new Set<unknown>()
    for await (const line of createInterface({ input: Readable.from(['a\nb\n', 'c\n']) })) if (line !== '') seen.add(now())
    assert.equal(seen.size, 1)
    return [...seen][0]
  },
  'readline events': () =>
    new Promise((resolve) => {
      const seen = new Set<unknown>()
      createInterface({ input: Readable.from(['a\nb\n']) })
        .on('line', () => seen.add(now()))
        .on('close', () => resolve(seen.size === 1 ? [...seen][0] : [...seen]))
    }),
  'stream.pipeline with a callback': () => new Promise((resolve) => streamPipeline(Readable.from(['a']), new PassThrough().resume(), () => resolve(now()))),
  'stream.finished': async () => {
    await finished(Readable.from(['a']).resume())
    return now()
  },
  'web streams': async () => {
    const seen = new Set<unknown>()
    const text = new ReadableStream<string>({ pull: (controller) => (seen.add(now()), controller.enqueue('a'), controller.close()) })
    for await (const chunk of text) if (chunk !== '') seen.add(now())
    assert.equal(seen.size, 1)
    return [...seen][0]
  },
  'timers/promises': async () => {
    await setTimeoutPromise(1)
    for await (const _ of setIntervalPromise(1)) break
    return now()
  },
  MessageChannel: () => {
    const { port1, port2 } = new MessageChannel()
    const heard = new Promise((resolve) => port2.once('message', () => resolve(now())))
    within('somebody else', () => port1.postMessage('x'))
    return heard.finally(() => port2.close())
  },
  'EventTarget': () => {
    const target = new EventTarget()
    const heard = new Promise((resolve) => target.addEventListener('x', () => resolve(now())))
    setImmediate(() => target.dispatchEvent(new Event('x')))
    return heard
  },
  'AbortSignal.timeout': () => {
    // The signal's own timer does not keep the process.
    const hold = setInterval(() => undefined, 60_000)
    return new Promise((resolve) => AbortSignal.timeout(1).addEventListener('abort', () => resolve(now()))).finally(() => clearInterval(hold))
  },
  AsyncResource: () => {
    const resource = new AsyncResource('test')
    return new Promise((resolve) => within('somebody else', () => resource.runInAsyncScope(() => resolve(now()))))
  },
  bind: () => {
    const bound = context.bind(context.active(), () => now())
    return Promise.resolve(within('somebody else', bound))
  },
}

for (const [name, way] of Object.entries(WAYS)) {
  test(`${name} keeps the context, of many at once each its own`, async () => {
    const values = Array.from({ length: 5 }, (_, index) => `${name} ${index}`)
    assert.deepEqual(await Promise.all(values.map((value) => within(value, way))), values)
    assert.equal(now(), undefined)
  })
}

test('any sequence of waits keeps it', async () => {
  const names = Object.keys(WAYS).filter((name) => !name.includes('execFile'))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 5 }), async (sequences) => {
      await Promise.all(sequences.map((sequence, index) => within(`run ${index}`, () => waitIn(sequence, `run ${index}`))))
    }),
    { numRuns: 30 },
  )
})

test('listeners run in the context of who emits; those of a bound emitter in its own, and can be taken off', () => {
  const plain = new EventEmitter()
  const seen: unknown[] = []
  within('listener', () => plain.on('x', () => seen.push(now())))
  within('emitter', () => plain.emit('x'))
  const bound = within('bound', () => context.bind(context.active(), new EventEmitter()))
  const listener = (): void => void seen.push(now())
  const another = (): void => void seen.push(now())
  bound.on('x', listener).once('x', another)
  within('emitter', () => bound.emit('x'))
  bound.once('x', another).off('x', another).off('x', listener)
  within('emitter', () => bound.emit('x'))
  assert.deepEqual(seen, ['emitter', 'bound', 'bound'])
  assert.equal(bound.listenerCount('x'), 0)
})

test('what throws leaves the context as it was', () => {
  assert.throws(() => within('x', () => assert.fail('thrown')), /thrown/)
  assert.equal(now(), undefined)
})
