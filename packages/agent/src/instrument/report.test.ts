// What a program under the agent says about what it could not instrument.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { runProgram, startReceiver } from '../otlp-receiver.test.ts'
import { bundledIn } from './report.ts'

const REGISTER = fileURLToPath(import.meta.resolve('@andon/agent/register'))

/** A folder with a program and with packages `name@version` that export nothing. */
function folder(t: TestContext, program: string, text: string, packages: readonly string[] = []): string {
  const root = mkdtempSync(join(tmpdir(), 'andon-report-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const each of packages) {
    const at = each.lastIndexOf('@')
    const directory = join(root, 'node_modules', each.slice(0, at))
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: each.slice(0, at), version: each.slice(at + 1) }))
    writeFileSync(join(directory, 'index.js'), '')
  }
  writeFileSync(join(root, program), text)
  return root
}

async function run(cwd: string, args: readonly string[], endpoint: string): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
  const child = spawn(process.execPath, args, { cwd, env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await once(child, 'close')
  return { code: child.exitCode, stdout, stderr }
}

const SERVE = `
http.createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', function () {
  const server = this
  http.get({ port: server.address().port, agent: false }, (answer) => { answer.resume(); answer.on('end', () => { console.log(answer.statusCode); server.close() }) })
})`

test('in the thread of the loader, which Node 20 preloads as well, no second agent runs', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  // A package of ECMAScript modules, for which Node 20 needs that thread.
  const root = folder(t, 'app.cjs', '', ['bullmq@5.30.0'])
  writeFileSync(join(root, 'probe.cjs'), `require('fs').writeSync(1, [require('worker_threads').threadId, globalThis[Symbol.for('andon.agent')] !== undefined] + '\\n')`)
  const { stdout } = await run(root, ['--require', REGISTER, '--require', './probe.cjs', 'app.cjs'], receiver.url)
  const threads = stdout.trim().split('\n').toSorted()
  assert.deepEqual(threads, threads.length > 1 ? ['0,true', '1,false'] : ['0,true'])
  assert.equal(threads.length, Number(process.versions.node.split('.')[0]) < 22 ? 2 : 1)
})

// Node does not wait for what is imported before it runs a CommonJS text.
for (const [flag, text] of [['--require', 'text true'], ['--import', undefined]] as const) {
  test(`a worker thread has an agent under ${flag}, a file${text === undefined ? '' : ' or a text'}`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const tell = `require('node:fs').writeSync(1, require('node:worker_threads').workerData + ' ' + (globalThis[Symbol.for('andon.agent')] !== undefined) + '\\n')`
    const root = folder(t, 'app.cjs', `const { Worker } = require('node:worker_threads')\nnew Worker('./worker.cjs', { workerData: 'file' })\n${text === undefined ? '' : `new Worker(${JSON.stringify(tell)}, { eval: true, workerData: 'text' })`}`)
    writeFileSync(join(root, 'worker.cjs'), tell)
    const { stdout, stderr } = await run(root, [flag, REGISTER, 'app.cjs'], receiver.url)
    assert.deepEqual([stdout.trim().split('\n').toSorted(), stderr], [['file true', ...(text === undefined ? [] : [text])], ''])
  })
}

for (const [program, flag, load] of [['app.cjs', '--require', `const http = require('http')`], ['app.mjs', '--require', `import http from 'node:http'`], ['app.cjs', '--import', `const http = require('http')`], ['app.mjs', '--import', `import http from 'node:http'`]] as const) {
  test(`${program} under ${flag}: incoming and outgoing requests arrive, and nothing is said on the error output`, { timeout: 60_000 }, async (t) => {
    const receiver = await startReceiver(t)
    const root = folder(t, program, `${load}\n${SERVE}`)
    const { code, stdout, stderr } = await run(root, [flag, REGISTER, program], receiver.url)
    assert.deepEqual([code, stdout, stderr], [0, '200\n', ''])
    assert.deepEqual(receiver.spans.map(({ kind }) => kind).toSorted(), ['client', 'server'])
  })
}

test('started twice, by --require and by --import, each request is recorded once', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const root = folder(t, 'app.cjs', `const http = require('http')\n${SERVE}`)
  const { stdout, stderr } = await run(root, ['--require', REGISTER, '--import', REGISTER, 'app.cjs'], receiver.url)
  assert.deepEqual([stdout, stderr], ['200\n', ''])
  assert.deepEqual(receiver.spans.map(({ kind }) => kind).toSorted(), ['client', 'server'])
})

test('one line says what could not be instrumented and why; the program runs', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const root = folder(t, 'app.cjs', `require('kafkajs'); require('memcached'); require('left-pad'); console.log('runs')`, ['kafkajs@99.0.0', 'memcached@2.2.2', 'left-pad@1.0.0'])
  const { code, stdout, stderr } = await run(root, ['--require', REGISTER, 'app.cjs'], receiver.url)
  assert.deepEqual([code, stdout], [0, 'runs\n'])
  assert.match(stderr, /^andon: not instrumented: kafkajs 99\.0\.0 \(version out of range: >=0\.3\.0 <3\), memcached 2\.2\.2 \(patch failed: .+\)\n$/)
})

test('the agent lists what it met in this process', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { stdout, stderr } = await runProgram(t, 'module', `import { start } from '@andon/agent'\nconsole.log(JSON.stringify(start().instrumented().filter(({ version }) => version === '').map(({ name, reason }) => [name, reason ?? 'records'])))`, receiver.url)
  assert.deepEqual(JSON.parse(stdout), [['http', 'records']], stderr)
})

test('what is told by channels is listed too: fetch, and each Fastify', { timeout: 60_000 }, async (t) => {
  const receiver = await startReceiver(t)
  const { stdout, stderr } = await runProgram(t, 'module', `import { start } from '@andon/agent'\nimport fastify from 'fastify'\nfastify(); fastify()\nconsole.log(JSON.stringify([fastify().version, start().instrumented().filter(({ name, reason }) => ['fastify', 'undici'].includes(name) && reason === undefined).map(({ name, version }) => [name, version])]))`, receiver.url)
  const [version, listed] = JSON.parse(stdout) as [string, unknown]
  assert.deepEqual(listed, [['undici', process.versions['undici']], ['fastify', version]], stderr)
})

test('packages that were bundled into the program are known by the names that bundlers leave', () => {
  const known = new Set(['express', '@hapi/hapi', 'pg'])
  const text = `// node_modules/express/lib/express.js\n"./node_modules/@hapi/hapi/lib/index.js"\n// node_modules/.pnpm/pg@8.0.0/node_modules/pg/lib/index.js\n// node_modules/accepts/index.js`
  assert.deepEqual(bundledIn(text, (name) => known.has(name)), ['express', '@hapi/hapi', 'pg'])
})
