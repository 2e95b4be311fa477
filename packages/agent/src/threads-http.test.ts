// HTTP servers in cluster workers and worker threads: each request is recorded, under the worker that served it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { SpanRecord } from '@andon/model'
import { type Receiver, runProgram, startReceiver } from './otlp-receiver.test.ts'

const register = new URL('register.js', import.meta.url).href

/** A program's file, beside which the packages of the repository are found by their whole paths. */
function fileOf(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'andon-threads-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'program.cjs')
  writeFileSync(path, `const tracer = require(${JSON.stringify(createRequire(import.meta.url).resolve('@opentelemetry/api'))}).trace.getTracer('t')\n${text}`)
  return path
}

/** Server spans by the attribute of their resource that tells the worker. */
function served(spans: readonly SpanRecord[], by: string): Map<unknown, SpanRecord[]> {
  const found = new Map<unknown, SpanRecord[]>()
  for (const span of spans.filter(({ kind }) => kind === 'server')) {
    const worker = span.resource.attributes[by]
    found.set(worker, [...(found.get(worker) ?? []), span])
  }
  return found
}

/** How many requests the histograms of each instance counted. */
function counted({ metrics }: Receiver): Map<unknown, number> {
  const found = new Map<unknown, number>()
  for (const { name, data, resource } of metrics) {
    if (name !== 'http.server.request.duration' || data.type !== 'exponentialHistogram') continue
    const instance = resource.attributes['service.instance.id']
    for (const { count } of data.points) found.set(instance, (found.get(instance) ?? 0) + count)
  }
  return found
}

const EACH = 40

test('a cluster of two workers under --import: each of them records the requests that it answered', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = fileOf(
    t,
    `
    const http = require('http')
    http.createServer((request, response) => response.end(String(process.pid))).listen(0, '127.0.0.1', function () { process.send(this.address().port) })`,
  )
  const text = `
    const cluster = require('cluster')
    const http = require('http')
    cluster.setupPrimary({ exec: ${JSON.stringify(file)}, execArgv: ['--import', ${JSON.stringify(register)}] })
    const answers = {}
    const get = (port) => new Promise((resolve, reject) => http.get({ port, host: '127.0.0.1', agent: false }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      answers[text] = (answers[text] ?? 0) + 1
      resolve()
    }).on('error', reject))
    const workers = [cluster.fork(), cluster.fork()]
    Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve)))).then(async ([port]) => {
      for (let index = 0; index < ${2 * EACH}; index += 1) await get(port)
      for (const worker of workers) worker.disconnect()
      console.log(JSON.stringify(answers))
    })`
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', text, receiver.url)
  assert.deepEqual([code, stderr], [0, ''])
  const answers: unknown = JSON.parse(stdout)
  assert.ok(typeof answers === 'object' && answers !== null)
  const byProcess = served(receiver.spans, 'process.pid')
  assert.deepEqual(Object.fromEntries([...byProcess].map(([pid, spans]) => [String(pid), spans.length])), answers)
  assert.equal(byProcess.size, 2)
  const instances = [...byProcess.values()].map((spans) => [...new Set(spans.map(({ resource }) => resource.attributes['service.instance.id']))])
  assert.ok(instances.every(({ length }) => length === 1))
  // The numbers agree with the spans, worker by worker.
  const numbers = counted(receiver)
  for (const [spans, [instance]] of [...byProcess.values()].map((each, index) => [each, instances[index] ?? []] as const)) assert.equal(numbers.get(instance), spans.length)
})

test('a worker thread with a server of its own: its requests are under its instance, within the trace of their caller', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = fileOf(
    t,
    `
    const http = require('http')
    const { isMainThread, parentPort, Worker } = require('worker_threads')
    if (isMainThread) {
      const worker = new Worker(__filename, { execArgv: ['--import', ${JSON.stringify(register)}] })
      worker.once('message', async (port) => {
        for (let index = 0; index < ${EACH}; index += 1) await new Promise((resolve, reject) => http.get({ port, host: '127.0.0.1', path: '/' + index, agent: false }, (response) => response.resume().on('end', resolve)).on('error', reject))
        worker.postMessage('end')
      })
    } else {
      const server = http.createServer((request, response) => response.end('done'))
      server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))
      parentPort.once('message', () => server.close())
    }`,
  )
  const { code, stderr } = await runProgram(t, 'commonjs', `require(${JSON.stringify(file)})`, receiver.url)
  assert.deepEqual([code, stderr], [0, ''])
  const byInstance = served(receiver.spans, 'service.instance.id')
  assert.deepEqual([...byInstance.values()].map(({ length }) => length), [EACH])
  const clients = new Map(receiver.spans.filter(({ kind }) => kind === 'client').map((span) => [span.spanId, span]))
  for (const span of [...byInstance.values()].flat()) {
    const caller = clients.get(span.parentSpanId)
    assert.ok(caller !== undefined)
    assert.equal(caller.traceId, span.traceId)
    assert.notEqual(caller.resource.attributes['service.instance.id'], span.resource.attributes['service.instance.id'])
  }
  assert.deepEqual([...counted(receiver)], [[[...byInstance.keys()][0], EACH]])
})

test('a worker thread that is terminated: what it had sent is there, and the main thread goes on and ends as ever', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const file = fileOf(
    t,
    `
    const { isMainThread, Worker } = require('worker_threads')
    if (isMainThread) {
      const ends = []
      const next = (left) => {
        if (left === 0) { tracer.startSpan('after').end(); console.log(ends.join()); process.exitCode = 3; return }
        const worker = new Worker(__filename, { execArgv: ['--import', ${JSON.stringify(register)}] })
        worker.once('exit', (code) => { ends.push(code); next(left - 1) })
        // Once its span was sent.
        require('http').get(process.env.CONTROL + (4 - left), () => worker.terminate())
      }
      next(3)
    } else {
      tracer.startSpan('within').end()
      setInterval(() => tracer.startSpan('more').end(), 5)
    }`,
  )
  const within = (): number => receiver.spans.filter(({ name }) => name === 'within').length
  const control = createServer((request, response) => void receiver.until(() => within() >= Number(request.url?.slice(1))).then(() => response.end('now'))).listen(0, '127.0.0.1')
  await once(control, 'listening')
  t.after(() => control.close())
  const address = control.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { code, stdout, stderr } = await runProgram(t, 'commonjs', `require(${JSON.stringify(file)})`, receiver.url, { OTEL_BSP_SCHEDULE_DELAY: '20', CONTROL: `http://127.0.0.1:${port}/` })
  assert.deepEqual([code, stdout, stderr], [3, '1,1,1\n', ''])
  assert.deepEqual([within(), receiver.spans.filter(({ name }) => name === 'after').length], [3, 1])
})
