// BullMQ on a real Redis and node-cron by its own clock.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { startRedis } from './redis-server.test.ts'

const load = {
  module: (name: string, what: string) => `import ${what} from '${name}'`,
  commonjs: (name: string, what: string) => `const ${what} = require('${name}')`,
} as const

const QUEUE = `
const connection = { host: '127.0.0.1', port: Number(process.env.PORT) }
const tracer = trace.getTracer('t')
const run = async () => {
  const { inventoryItems } = await import(process.env.INVENTORY)
  const jobs = () => JSON.stringify(inventoryItems().filter(({ kind }) => kind === 'job').map(({ name }) => name))
  const queue = new Queue('mail-' + process.env.TYPE, { connection })
  let left = 4
  const worker = new Worker(queue.name, async (job) => {
    tracer.startSpan('inside ' + job.data.n).end()
    if (job.data.n === 3) throw new RangeError('no such address')
  }, { connection, autorun: false })
  const over = new Promise((resolve) => { const one = () => { left -= 1; if (left === 0) resolve() }; worker.on('completed', one); worker.on('failed', one) })
  const before = jobs()
  worker.run()
  // Before any job has come, and before the connection is there.
  console.log(before, jobs())
  await Promise.all([0, 1, 2, 3].map((n) => tracer.startActiveSpan('work ' + n, async (span) => { await queue.add('letter', { n }); span.end() })))
  await over
  await worker.close()
  await queue.close()
  console.log('done')
}
run()
`

async function checkQueue(t: TestContext, type: 'module' | 'commonjs', port: number): Promise<void> {
  const receiver = await startReceiver(t)
  const { code, stdout, stderr } = await runProgram(t, type, `${load[type]('bullmq', '{ Queue, Worker }')}\n${load[type]('@opentelemetry/api', '{ trace }')}\n${QUEUE}`, receiver.url, { PORT: String(port), TYPE: type, INVENTORY: new URL('../inventory.js', import.meta.url).href })
  assert.deepEqual([code, stdout, stderr], [0, `[] ["process mail-${type}"]\ndone\n`, ''])
  const { spans } = receiver
  for (let n = 0; n < 4; n += 1) {
    const work = spans.find(({ name }) => name === `work ${n}`)
    const [added, ...others] = spans.filter(({ kind, parentSpanId }) => kind === 'producer' && parentSpanId === work?.spanId)
    assert.deepEqual([added?.name, others.length, added?.traceId], [`add mail-${type}`, 0, work?.traceId])
    const [processed, ...again] = spans.filter(({ kind, parentSpanId }) => kind === 'consumer' && parentSpanId === added?.spanId)
    assert.deepEqual([processed?.name, again.length, processed?.traceId], [`process mail-${type}`, 0, work?.traceId])
    assert.equal(processed?.attributes['messaging.message.id'], added?.attributes['messaging.message.id'])
    assert.equal(spans.find(({ name }) => name === `inside ${n}`)?.parentSpanId, processed?.spanId)
    assert.deepEqual([processed?.status.code, processed?.status.message], n === 3 ? ['error', 'no such address'] : ['unset', ''])
  }
}

test('BullMQ: a job is processed in the trace of who added it, and what it does hangs below; a worker is in the inventory as soon as it runs', { timeout: 180_000 }, async (t) => {
  const port = await startRedis(t)
  if (port === undefined) {
    t.skip('no Redis is installed and none can be had')
    return
  }
  for (const type of ['commonjs', 'module'] as const) await t.test(type, (inner) => checkQueue(inner, type, port))
})

for (const type of ['module', 'commonjs'] as const) {
  test(`node-cron, ${type}: each run is work of its own, also when the clock was set within other work`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const text = `${load[type]('node-cron', 'cron')}\n${load[type]('@opentelemetry/api', '{ trace }')}
trace.getTracer('t').startActiveSpan('start', (span) => {
  const task = cron.schedule('* * * * * *', async () => {
    trace.getTracer('t').startSpan('inside').end()
    await task.stop()
    console.log('ran')
  }, { name: 'tidy' })
  span.end()
})`
    const { code, stdout, stderr } = await runProgram(t, type, text, receiver.url)
    assert.deepEqual([code, stdout, stderr], [0, 'ran\n', ''])
    const { spans } = receiver
    const [run, ...others] = spans.filter(({ name }) => name === 'cron tidy')
    assert.deepEqual([others.length, run?.parentSpanId], [0, ''])
    assert.equal(spans.find(({ name }) => name === 'inside')?.parentSpanId, run?.spanId)
    assert.notEqual(run?.traceId, spans.find(({ name }) => name === 'start')?.traceId)
  })
}

for (const type of ['module', 'commonjs'] as const) {
  test(`node-cron, ${type}: a task that is made first and started later is recorded, by the names of both ways, and is in the inventory`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const text = `${type === 'module' ? `import cron, { createTask } from 'node-cron'` : `const cron = require('node-cron'); const { createTask } = cron`}
let left = 2
const task = (make, name) => {
  const made = make('* * * * * *', async () => {
    await made.stop()
    left -= 1
    if (left > 0) return
    const { inventoryItems } = await import(process.env.INVENTORY)
    console.log(JSON.stringify(inventoryItems().filter(({ kind }) => kind === 'job').map(({ name }) => name)))
  }, { name })
  return made
}
task(createTask, 'tidy').start()
task(cron.createTask, 'send').start()
task(createTask, 'never started')`
    const { code, stdout, stderr } = await runProgram(t, type, text, receiver.url, { INVENTORY: new URL('../inventory.js', import.meta.url).href })
    assert.deepEqual([code, stdout, stderr], [0, '["cron tidy","cron send","cron never started"]\n', ''])
    assert.deepEqual(receiver.spans.map(({ name, parentSpanId }) => `${name}${parentSpanId}`).toSorted(), ['cron send', 'cron tidy'])
  })

  test(`node-cron, ${type}: the path of a task is relative to the file that gives it, as without the agent`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const root = mkdtempSync(fileURLToPath(new URL('cron-', import.meta.url)))
    t.after(() => rmSync(root, { recursive: true, force: true }))
    const program = join(root, type === 'module' ? 'app.mjs' : 'app.cjs')
    writeFileSync(program, `${load[type]('node-cron', 'cron')}
console.log([cron.createTask('* * * * *', 'one.js'), cron.createTask('* * * * *', '../two.js')].map(({ taskPath }) => taskPath).join(' '))`)
    const { code, stdout, stderr } = await runProgram(t, 'module', `await import(${JSON.stringify(pathToFileURL(program).href)})`, receiver.url)
    assert.deepEqual([code, stdout, stderr], [0, `${pathToFileURL(join(root, 'one.js')).href} ${pathToFileURL(join(root, '../two.js')).href}\n`, ''])
  })
}
