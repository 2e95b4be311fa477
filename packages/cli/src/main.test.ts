import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { once } from 'node:events'

const main = join(import.meta.dirname, 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'andon-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function andon(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

test('exit codes: 0 ok, 1 a problem found, 2 wrong usage, 3 nobody there; data on stdout, messages on stderr', async () => {
  const version = await andon('--version')
  assert.equal(version.code, 0)
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/)
  assert.deepEqual([version.err, (await andon('frobnicate')).code, (await andon('query')).code], ['', 2, 2])
  const unreachable = await andon('query', 'up', '--url', 'http://127.0.0.1:1')
  assert.deepEqual([unreachable.code, unreachable.out], [3, ''])
  assert.match(unreachable.err, /does not answer/)
})

test('check names the line of a mistake and is content with a good file', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'data_dir: x\nlisten:\n  prot: 1\n')
  writeFileSync(join(folder, 'good.yaml'), 'data_dir: x\n')
  const bad = await andon('check', 'bad.yaml')
  assert.deepEqual([bad.code, bad.out], [1, ''])
  assert.match(bad.err, /bad\.yaml:3: there is no option "listen\.prot"/)
  const good = await andon('check', 'good.yaml')
  assert.deepEqual([good.code, good.out], [0, 'good.yaml: 1 option, all well\n'])
  assert.equal((await andon('check', 'absent.yaml')).code, 2)
})

test('rules check counts the rules of each file, and names the line of a mistake', async () => {
  writeFileSync(join(folder, 'rules.yaml'), 'groups:\n  - name: a\n    rules:\n      - { alert: A, expr: up == 0 }\n      - { record: b, expr: sum(up) }\n')
  writeFileSync(join(folder, 'wrong-rules.yaml'), 'groups:\n  - name: a\n    rules:\n      - { alert: A, expr: up == }\n')
  const good = await andon('rules', 'check', 'rules.yaml')
  assert.deepEqual([good.code, good.out], [0, 'rules.yaml: 1 alerting and 1 recording rules, all well\n'])
  const bad = await andon('rules', 'check', 'rules.yaml', 'wrong-rules.yaml')
  assert.deepEqual([bad.code, bad.out], [1, ''])
  assert.match(bad.err, /wrong-rules\.yaml:4: expr: /)
})

const downAt = (time: string): string => `rule_files: [up.yaml]\ntests:\n  - input_series: [{ series: 'up{job="x"}', values: 0x20 }]\n    alert_rule_test:\n      - { eval_time: ${time}, alertname: Down, exp_alerts: [{ exp_labels: { job: x } }] }\n`

test('rules test says what is not as expected', async () => {
  writeFileSync(join(folder, 'up.yaml'), 'groups:\n  - name: a\n    rules:\n      - { alert: Down, expr: up == 0, for: 5m }\n')
  writeFileSync(join(folder, 'good-test.yaml'), downAt('5m'))
  writeFileSync(join(folder, 'bad-test.yaml'), downAt('4m'))
  const good = await andon('rules', 'test', 'good-test.yaml')
  assert.deepEqual([good.code, good.out], [0, 'good-test.yaml: 1 expectations, all well\n'])
  const bad = await andon('rules', 'test', 'good-test.yaml', 'bad-test.yaml')
  assert.deepEqual([bad.code, bad.out], [1, ''])
  assert.match(bad.err, /bad-test\.yaml: FAILED\n {2}test 1: alertname Down, time 240s: expected labels \{alertname="Down", job="x"\}, annotations \{\}; found none/)
})

async function serve(dataDir: string, port = '0'): Promise<{ url: string; stop: () => Promise<number> }> {
  const child = spawn(process.execPath, [main, 'serve', '--port', port, '--data-dir', dataDir, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder })
  after(() => child.kill('SIGKILL'))
  let url = ''
  for await (const line of createInterface(child.stdout)) {
    url = /listening on (\S+)/.exec(line)?.[1] ?? ''
    break
  }
  const stop = async (): Promise<number> => {
    child.kill('SIGTERM')
    const [code] = (await once(child, 'exit')) as [number]
    return code
  }
  return { url, stop }
}

test('serve says where it listens, answers, and ends properly when asked', { timeout: 60_000 }, async () => {
  const { url, stop } = await serve(join(folder, 'data'))
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n')
  assert.equal(await stop(), 0)
})

/** A CommonJS program that serves one request of its own and ends with a code of its own. */
const APP = `
const http = require('node:http')
const server = http.createServer((request, response) => response.end('hello'))
server.listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, host: '127.0.0.1', path: '/hello' }, (response) => {
    response.resume().on('end', () => { server.close(); process.exitCode = 7 })
  })
})
`

test('run attaches the agent, starts a server where none answers, and ends with the code of the program', { timeout: 120_000 }, async () => {
  writeFileSync(join(folder, 'app.cjs'), APP)
  // A port that was free a moment ago.
  const first = await serve(join(folder, 'run'))
  await first.stop()
  const ended = await andon('run', '--url', first.url, '--data-dir', join(folder, 'run'), '--service', 'shop', '--', process.execPath, 'app.cjs')
  assert.equal(ended.code, 7, ended.err)
  assert.match(ended.err, /No server answers at .*: starting one/)
  const again = await serve(join(folder, 'run'))
  const { data } = (await (await fetch(`${again.url}/api/traces?service=shop`)).json()) as { data: { spans: { operationName: string }[] }[] }
  assert.deepEqual(data.flatMap(({ spans }) => spans.map(({ operationName }) => operationName)), ['GET', 'GET'])
  // With a server that answers, it is used.
  const second = await andon('run', '--url', again.url, '--service', 'store', '--', process.execPath, 'app.cjs')
  assert.deepEqual([second.code, second.err], [7, `Dashboard: ${again.url}\n`])
  const { data: services } = (await (await fetch(`${again.url}/api/services`)).json()) as { data: string[] }
  assert.deepEqual(services, ['shop', 'store'])
  const absent = await andon('run', '--url', again.url, '--', 'no-such-program-of-ours')
  assert.equal(absent.code, 1)
  assert.match(absent.err, /no-such-program-of-ours could not be started/)
  await again.stop()
})

test('config print tells the options of the agent and where they come from, without secrets', async () => {
  writeFileSync(join(folder, 'andon.agent.json'), JSON.stringify({ OTEL_SERVICE_NAME: 'from-file', OTEL_EXPORTER_OTLP_HEADERS: 'authorization=CANARY' }))
  const { code, out } = await andon('config', 'print')
  rmSync(join(folder, 'andon.agent.json'))
  assert.equal(code, 0)
  assert.match(out, /^serviceName +from-file +OTEL_SERVICE_NAME in andon\.agent\.json$/m)
  assert.match(out, /^signals\.traces\.headers +authorization=\*\*\* /m)
  assert.ok(!out.includes('CANARY'))
  const json: readonly { readonly name: string }[] = JSON.parse((await andon('config', 'print', '--json')).out)
  assert.ok(json.some(({ name }) => name === 'stallMs'))
})
