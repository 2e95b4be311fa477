// Worker threads and cluster workers: each has an agent, an instance id and a flush of its own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { runProgram, startReceiver } from './otlp-receiver.test.ts'

const register = import.meta.resolve('@andon/agent/register')

/** A program's file, beside which the packages of the repository are found by their whole paths. */
function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'andon-threads-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'program.cjs')
  writeFileSync(path, `const api = require(${JSON.stringify(pathOf('@opentelemetry/api'))})\nconst tracer = api.trace.getTracer('t')\n${text}`)
  return path
}

function pathOf(name: string): string {
  return createRequire(import.meta.url).resolve(name)
}

function instances(spans: readonly SpanRecord[]): unknown[] {
  return [...new Set(spans.map(({ resource }) => resource.attributes['service.instance.id']))]
}

test('a worker thread: a message carries the context by its propagator, each side has its span and its own instance', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = fileOf(
    t,
    `
    const { isMainThread, parentPort, Worker } = require('worker_threads')
    if (isMainThread) {
      const worker = new Worker(__filename, { execArgv: ['--import', ${JSON.stringify(register)}] })
      tracer.startActiveSpan('ask', { kind: api.SpanKind.PRODUCER }, (span) => {
        const carrier = {}
        api.propagation.inject(api.context.active(), carrier)
        worker.postMessage({ carrier })
        worker.once('message', () => span.end())
      })
    } else {
      parentPort.once('message', ({ carrier }) => {
        const span = tracer.startSpan('answer', { kind: api.SpanKind.CONSUMER }, api.propagation.extract(api.ROOT_CONTEXT, carrier))
        parentPort.postMessage('done')
        span.end()
      })
    }`,
  )
  const { code, stderr } = await runProgram(t, 'commonjs', `require(${JSON.stringify(file)})`, receiver.url)
  assert.equal(code, 0, stderr)
  const { spans } = receiver
  const ask = spans.find(({ name }) => name === 'ask')
  const answer = spans.find(({ name }) => name === 'answer')
  assert.ok(ask !== undefined && answer !== undefined, `${spans.map(({ name }) => name).join()} ${stderr}`)
  assert.deepEqual([answer.traceId, answer.parentSpanId], [ask.traceId, ask.spanId])
  assert.equal(instances(spans).length, 2)
  // What belongs to the process is told once, by its main thread.
  const tellers = receiver.metrics.filter(({ name }) => name === 'process.uptime').map(({ resource }) => resource.attributes['service.instance.id'])
  assert.deepEqual([...new Set(tellers)], [ask.resource.attributes['service.instance.id']])
})

test('cluster workers: each sends what it recorded, under an instance of its own, however it ends', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = fileOf(
    t,
    `
    tracer.startSpan('work ' + process.env.PART).end()
    if (process.env.PART === '1') process.disconnect()
    if (process.env.PART === '2') process.exit(4)
    if (process.env.PART === '3') process.kill(process.pid, 'SIGTERM')`,
  )
  const text = `
    const cluster = require('cluster')
    cluster.setupPrimary({ exec: ${JSON.stringify(file)}, execArgv: ['--import', ${JSON.stringify(register)}] })
    const ends = []
    for (const PART of ['1', '2', '3']) cluster.fork({ PART }).on('exit', (code, signal) => { ends.push(PART + ' ' + code + ' ' + signal); if (ends.length === 3) console.log(ends.sort().join(', ')) })`
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', text, receiver.url)
  assert.deepEqual([code, stdout], [0, '1 0 null, 2 4 null, 3 null SIGTERM\n'], stderr)
  assert.deepEqual(receiver.spans.map(({ name }) => name).toSorted(), ['work 1', 'work 2', 'work 3'])
  assert.equal(instances(receiver.spans).length, 3)
})
