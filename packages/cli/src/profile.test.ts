// andon profile against a server that is played, and against a real one with a real service.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { CommandError, EXIT, type ExitCode } from './exit.ts'
import { profile, type ProfileFlags } from './profile.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-profile-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const NOW = Date.UTC(2026, 0, 1)
const TREE = { name: '', file: '', line: 0, self: 0, total: 4e6, children: [{ name: 'hot', file: '/app/hot.ts', line: 3, self: 4e6, total: 4e6, children: [] }] }

type State = { revision: number; sampling: number | null; profile: { until: number } | null; thresholds: []; expires: number | null }

/** Plays a server with the agent `shop one`, and the time between two looks of the command. */
class Played {
  readonly asked: string[] = []
  readonly puts: unknown[] = []
  elapsed = 0
  state: State = { revision: 0, sampling: null, profile: null, thresholds: [], expires: null }
  /** The service's own state; 0: none. */
  shared = 0
  hears = true
  applied = 0
  refuses = false
  isIdle = false
  onLook: () => void = () => undefined
  url = ''

  async start(t: TestContext): Promise<this> {
    const server = createServer((request, response) => {
      void this.#answer(request).then(({ status, body }) => response.writeHead(status).end(Buffer.isBuffer(body) ? body : JSON.stringify(body)))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    this.url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    return this
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://andon')
    this.asked.push(`${request.method ?? ''} ${pathname}`)
    const now = NOW + this.elapsed
    if (pathname === '/api/agents') {
      if (this.hears) this.applied = this.state.revision
      return { status: 200, body: { now, agents: [{ service: 'shop', instance: 'one', revision: this.applied, capabilities: ['profile'], lastSeen: now }] } }
    }
    if (pathname === '/api/service/shop/control') return this.shared === 0 ? { status: 404, body: { error: { code: 'not_found' } } } : { status: 200, body: { revision: this.shared } }
    if (pathname === '/api/agents/one/control') return await this.#control(request, now)
    if (pathname === '/api/profiles/flame') return { status: 200, body: { unit: 'nanoseconds', root: this.isIdle ? { ...TREE, total: 0, children: [] } : TREE } }
    if (pathname === '/api/profiles/pprof') return { status: 200, body: Buffer.from('pprof') }
    const type = ['cpu', 'heap_space', 'alloc_space']
    return { status: 200, body: { sets: this.isIdle ? [] : type.map((each) => ({ type: each, first: now, last: Number(searchParams.get('to')), until: Number(searchParams.get('to')) })) } }
  }

  async #control(request: IncomingMessage, now: number): Promise<{ status: number; body: unknown }> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    if (request.method !== 'GET' && this.refuses) return { status: 403, body: { error: { code: 'forbidden', message: 'The token "ann" is a viewer.', hint: 'An editor may.' } } }
    if (request.method === 'PUT') {
      const given: Omit<State, 'revision'> = JSON.parse(Buffer.concat(chunks).toString())
      this.puts.push(given)
      this.state = { ...given, revision: this.state.revision + 1 }
    }
    if (request.method === 'DELETE') this.state = { revision: 0, sampling: null, profile: null, thresholds: [], expires: null }
    return { status: 200, body: { ...this.state, now } }
  }

  async run(flags: Omit<ProfileFlags, 'url'> = {}): Promise<{ text: string; said: string[] }> {
    const said: string[] = []
    const ended = new AbortController()
    const wait = (ms: number, signal: AbortSignal): Promise<void> => {
      this.elapsed += ms
      this.onLook()
      return signal.aborted ? Promise.reject(new Error('aborted')) : Promise.resolve()
    }
    this.abort = () => ended.abort('SIGINT')
    const text = await profile({ url: this.url, service: 'shop', seconds: '10', out: join(folder, 'out.pb.gz'), ...flags }, { signal: ended.signal, say: (line) => void said.push(line), wait, now: () => this.elapsed, folder: '/app' })
    return { text, said }
  }

  abort: () => void = () => undefined

  async fails(code: ExitCode, said: RegExp, flags?: Omit<ProfileFlags, 'url'>): Promise<void> {
    await assert.rejects(this.run(flags), (error) => error instanceof CommandError && error.code === code && said.test(error.message))
  }
}

test('a profile: asked for, awaited, written and shown; nothing is wanted of the agent afterwards', async (t) => {
  const server = await new Played().start(t)
  const { text, said } = await server.run()
  assert.deepEqual(server.puts, [{ sampling: null, thresholds: [], profile: { until: NOW + 50_000, rate: 100, kinds: ['cpu'] }, expires: NOW + 60_000 }])
  assert.equal(server.state.revision, 0)
  assert.equal(readFileSync(join(folder, 'out.pb.gz'), 'utf8'), 'pprof')
  assert.match(text, /^shop one: 4\.0 ms of CPU time within 10 s\n\nself ms .*\n.*\n +4\.0 +100\.0 +4\.0 +100\.0 +hot +hot\.ts:3\n/)
  assert.match(text, /\n\ntotal ms +total % +of the whole +call +file:line\n.*\n +4\.0 +100\.0 +█{20} +hot +hot\.ts:3\n\n/)
  const links = [`Flame graph as JSON: ${server.url}/api/profiles/flame?service=shop&type=cpu&from=${NOW}&to=${NOW + 10_000}&instance=one`, `The service at that time: ${server.url}/service/shop?from=2025-12-31T23:55:00Z&to=2026-01-01T00:00:10Z`]
  assert.match(text, /\npprof: .*out\.pb\.gz\n/)
  assert.deepEqual(text.split('\n').slice(-2), links)
  assert.equal(said.length, 3)
  const json: { functions: { name: string }[]; total: number } = JSON.parse((await server.run({ json: true, type: 'allocation', instance: 'one' })).text)
  assert.deepEqual([json.total, json.functions.map(({ name }) => name)], [4e6, ['hot']])
})

test('what is wanted of the instance goes on beside the profile and is put back; a state of its service comes back by itself', async (t) => {
  const server = await new Played().start(t)
  const own: State = { revision: 5, sampling: 0.5, profile: null, thresholds: [], expires: NOW + 900_000 }
  server.state = own
  await server.run()
  assert.deepEqual(server.puts, [
    { sampling: 0.5, thresholds: [], profile: { until: NOW + 50_000, rate: 100, kinds: ['cpu'] }, expires: NOW + 900_000 },
    { sampling: 0.5, thresholds: [], profile: null, expires: NOW + 900_000 },
  ])
  const second = await new Played().start(t)
  second.state = own
  second.shared = 5
  await second.run()
  assert.deepEqual(second.puts, [{ sampling: 0.5, thresholds: [], profile: { until: NOW + 50_000, rate: 100, kinds: ['cpu'] }, expires: NOW + 60_000 }])
  assert.ok(second.asked.includes('DELETE /api/agents/one/control'))
  // What somebody else sets meanwhile is left alone.
  const third = await new Played().start(t)
  third.onLook = () => (third.state = { ...own, revision: 9 })
  await third.run()
  assert.equal(third.state.revision, 9)
})

test('Ctrl+C while it waits takes back what was asked', async (t) => {
  const server = await new Played().start(t)
  server.onLook = () => server.abort()
  await assert.rejects(server.run())
  assert.deepEqual([server.puts.length, server.state.revision], [1, 0])
})

test('an agent that does not hear of it, or has nothing to send, is told within a bounded time', async (t) => {
  const deaf = await new Played().start(t)
  deaf.hears = false
  await deaf.fails(EXIT.problem, /^No agent has heard of it within 40 s\./)
  assert.deepEqual([deaf.state.revision, deaf.elapsed], [0, 40_000])
  const idle = await new Played().start(t)
  idle.isIdle = true
  await idle.fails(EXIT.problem, /^shop sent no cpu profile for these 10 s: it was idle/)
  assert.ok(idle.elapsed < 20_000, `${idle.elapsed} ms`)
})

test('what the server refuses and what cannot be meant is told with its hint and exit code', async (t) => {
  const server = await new Played().start(t)
  server.refuses = true
  await server.fails(EXIT.problem, /^The token "ann" is a viewer\.\nAn editor may\.$/)
  await server.fails(EXIT.usage, /^Say what to profile/, { service: undefined })
  await server.fails(EXIT.usage, /^Say what to profile/, { pid: '1' })
  for (const seconds of ['0', '3001', 'ten', '-1', '1e3']) await server.fails(EXIT.usage, /^--seconds must be a number from 1 to 3000/, { seconds })
  await server.fails(EXIT.usage, /^--type must be one of cpu, heap, allocation/, { type: 'memory' })
  await server.fails(EXIT.usage, /cannot be written to/, { out: join(folder, 'absent', 'x.pb.gz') })
  assert.equal(server.elapsed, 0)
  await assert.rejects(profile({ url: 'http://127.0.0.1:1', service: 'shop' }, { signal: new AbortController().signal, say: () => undefined }), (error) => error instanceof CommandError && error.code === EXIT.unreachable)
})

const main = join(import.meta.dirname, 'main.js')
const APP = `
const kept = []
function workOfTest(ms) {
  const end = process.cpuUsage().user + ms * 1000
  let sum = 0
  while (process.cpuUsage().user < end) for (let index = 0; index < 10000; index += 1) sum += Math.sqrt(index + sum)
  return sum
}
function wasteOfTest() {
  for (let index = 0; index < 20000; index += 1) kept[index % 10] = { index, list: [index, 'text ' + index] }
}
setInterval(() => { workOfTest(10); wasteOfTest() }, 100)
setInterval(() => workOfTest(500), 2000)
process.on('SIGTERM', () => process.exit(0))
console.log(process.pid)
`

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder, env: { ...process.env, ...env } })
  after(() => child.kill('SIGKILL'))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  assert.ok(child.stdout)
  for await (const line of createInterface(child.stdout)) return line
  return ''
}

async function andon(args: readonly string[], onError: (text: string, child: ChildProcess) => void = () => undefined): Promise<{ code: number; out: string; err: string }> {
  const child = start(args)
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
    onError(err, child)
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

test('a real service under a real server: by name and by process, time and allocations; Ctrl+C ends it with 130', { timeout: 180_000 }, async () => {
  writeFileSync(join(folder, 'app.cjs'), APP)
  const serve = start(['serve', '--port', '0', '--data-dir', join(folder, 'data'), '--log-level', 'error'])
  const url = /listening on (\S+)/.exec(await firstLine(serve))?.[1] ?? ''
  const run = start(['run', '--url', url, '--service', 'shop', '--', process.execPath, 'app.cjs'], { OTEL_METRIC_EXPORT_INTERVAL: '300', ANDON_PROFILE: 'off' })
  const pid = await firstLine(run)
  const known = async (): Promise<boolean> => ((await (await fetch(`${url}/api/agents`)).json()) as { agents: unknown[] }).agents.length > 0
  while (!(await known())) await new Promise((resolve) => setTimeout(resolve, 100))

  // For so long that a whole block lies within it.
  const cpu = await andon(['profile', '--service', 'shop', '--seconds', '3', '--url', url, '--out', 'cpu.pb.gz'])
  assert.equal(cpu.code, 0, cpu.err)
  assert.match(cpu.out, /^ *[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +workOfTest +.*app\.cjs:3$/m)
  assert.ok(gunzipSync(readFileSync(join(folder, 'cpu.pb.gz'))).includes('workOfTest'))
  const blocked = async (): Promise<boolean> => {
    const { stalls } = (await (await fetch(`${url}/api/service/shop/stalls`)).json()) as { stalls: { stack: string; seconds: number }[] }
    return stalls.some(({ stack, seconds }) => seconds > 0.25 && /^at workOfTest \(.*app\.cjs:3\)\n/m.test(stack))
  }
  while (!(await blocked())) await new Promise((resolve) => setTimeout(resolve, 100))
  const allocation = await andon(['profile', '--pid', pid, '--seconds', '1', '--type', 'allocation', '--json', '--url', url])
  assert.equal(allocation.code, 0, allocation.err)
  const { functions, file, flame, page }: { functions: { name: string; self: number }[]; file: string; flame: string; page: string } = JSON.parse(allocation.out)
  const [heaviest] = functions
  assert.ok(heaviest !== undefined && heaviest.self > 1e6)
  assert.equal(heaviest.name, 'wasteOfTest')
  assert.match(file, /shop-allocation-.*\.pb\.gz$/)
  assert.equal((await fetch(flame)).status, 200)
  assert.match(await (await fetch(page, { headers: { accept: 'text/html' } })).text(), /<div id="root"/)

  let isTold = false
  const ended = await andon(['profile', '--service', 'shop', '--seconds', '600', '--url', url], (err, child) => {
    if (isTold || !err.includes('Profiling for')) return
    isTold = true
    child.kill('SIGINT')
  })
  assert.deepEqual([ended.code, ended.out], [130, ''])
  assert.match(ended.err, /return to what was wanted/)
  const { agents } = (await (await fetch(`${url}/api/agents`)).json()) as { agents: { wantedRevision: number }[] }
  assert.deepEqual(agents.map(({ wantedRevision }) => wantedRevision), [0])
  for (const child of [run, serve]) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
})
