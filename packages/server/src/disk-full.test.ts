// A real server on a really small disk: ingest goes on until it is full and beyond, the server is killed there, and what it
// has acknowledged is whole when it is opened again.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { SpanRecord } from '@andon/model'
import { encodeSpans } from '@andon/wire'
import { silentLog } from './runtime/log.ts'
import { number } from './store/cells.ts'
import { EmbeddedDatabase } from './store/engine-embedded.ts'
import { sql } from './store/sql.ts'

const MIB = 1024 ** 2
const DAY = 86_400_000
const DISK = 64 * MIB
/** The last days: what is written lies in the middle of each, today's a second ago. Each is one insert, so that no merge leaves anything over. */
const DAYS = Array.from({ length: 25 }, (_, index) => 24 - index)
const NOW = Date.now()
const today = Math.floor(NOW / DAY)

const folder = mkdtempSync(join(tmpdir(), 'andon-small-'))
const disk = join(folder, 'disk')
const children: ChildProcess[] = []

/** A file system in memory; undefined where none can be mounted. */
function mountSmallDisk(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  spawnSync('mkdir', ['-p', disk])
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'andon-test', disk]).status === 0 ? disk : undefined
}

const mounted = mountSmallDisk()
after(() => {
  for (const child of children) child.kill('SIGKILL')
  if (mounted !== undefined) spawnSync('umount', ['-l', disk])
  rmSync(folder, { recursive: true, force: true })
})
const skip = mounted === undefined ? 'no small disk can be mounted here (that takes root on Linux), so a full disk was not tested' : false

/** What others hold on the disk. */
class Ballast {
  readonly #file = join(disk, 'of-others')

  /** Leaves so many bytes free; 0: none at all. */
  leave(bytes: number): void {
    const { bavail, bsize } = statfsSync(disk)
    const size = Math.max(0, bavail * bsize - bytes)
    spawnSync('dd', ['if=/dev/zero', `of=${this.#file}`, 'bs=16384', `count=${Math.ceil(size / 16_384)}`, 'oflag=append', 'conv=notrunc'])
  }

  remove(): void {
    rmSync(this.#file, { force: true })
  }
}

class Server {
  readonly child: ChildProcess
  readonly log: { readonly level: string; readonly message: string; readonly table?: string }[] = []
  url = ''

  private constructor(whenFull: 'drop' | 'refuse') {
    const config = join(folder, `${whenFull}.yaml`)
    writeFileSync(config, `disk:\n  when_full: ${whenFull}\nretention:\n  spans_days: 30\n`)
    this.child = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), '--config', config, '--port', '0', '--data-dir', join(disk, 'data')], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(this.child)
    if (this.child.stderr !== null) createInterface({ input: this.child.stderr }).on('line', (line) => this.log.push(line.startsWith('{') ? (JSON.parse(line) as Server['log'][number]) : { level: 'error', message: line }))
  }

  static async start(whenFull: 'drop' | 'refuse'): Promise<Server> {
    const server = new Server(whenFull)
    assert.ok(server.child.stdout)
    for await (const line of createInterface({ input: server.child.stdout })) {
      const url = /listening on (\S+)/.exec(line)?.[1]
      if (url === undefined) continue
      server.url = url
      return server
    }
    throw new Error(`the server did not start: ${JSON.stringify(server.log)}`)
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    await ended
  }

  /** The status of the answer, its code, and what it says of when to come back. */
  async send(body: Uint8Array, batch: string): Promise<{ status: number; text: string; retryAfter: string | null }> {
    const answer = await fetch(`${this.url}/v1/traces`, { method: 'POST', body: Buffer.from(body), headers: { 'content-type': 'application/x-protobuf', 'andon-batch': batch } })
    return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('retry-after') }
  }

  async get<T>(path: string): Promise<T> {
    const answer = await fetch(this.url + path)
    const text = await answer.text()
    assert.equal(answer.status, 200, text)
    return JSON.parse(text) as T
  }

  async disk(): Promise<{ state: string; freeBytes: number; dropped: { table: string; id: string; bytes: number }[] }> {
    return (await this.get<{ disk: { state: string; freeBytes: number; dropped: { table: string; id: string; bytes: number }[] } }>('/api/status')).disk
  }
}

const SPANS = 400
const resource = { attributes: { 'service.name': 'shop' }, droppedAttributes: 0, schemaUrl: '' }
const scope = { name: '', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }

/** Spans of one day that cannot be packed: about 3 MiB. */
function spansOf(daysAgo: number): Uint8Array {
  const at = daysAgo === 0 ? NOW - 1000 : (today - daysAgo) * DAY + DAY / 2
  const start = BigInt(at) * 1_000_000n
  return encodeSpans(
    Array.from({ length: SPANS }, (): SpanRecord => ({ traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex'), parentSpanId: '', traceState: '', flags: 1, name: 'op', kind: 'internal', start, end: start + 1n, attributes: { a: randomBytes(4000).toString('base64'), b: randomBytes(4000).toString('base64') }, droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, status: { code: 'unset', message: '' }, resource, scope })),
  )
}

const dayOf = (daysAgo: number): string => new Date((today - daysAgo) * DAY).toISOString().slice(0, 10).replaceAll('-', '')
let sequence = 0
/** Spans that were answered 200, by day. */
const acknowledged = new Map<string, number>()

/** Sends a batch until it is taken, as an agent does; at most a few seconds. */
async function deliver(server: Server, daysAgo: number): Promise<number> {
  const [body, batch] = [spansOf(daysAgo), `${'c'.repeat(32)}/${sequence}`]
  sequence += 1
  for (let refusals = 0; refusals < 50; refusals += 1) {
    const { status, text } = await server.send(body, batch)
    if (status === 200) {
      acknowledged.set(dayOf(daysAgo), (acknowledged.get(dayOf(daysAgo)) ?? 0) + SPANS)
      return refusals
    }
    assert.equal(status, 503, text)
    assert.match(text, /disk_full/)
    await wait(50)
  }
  throw new Error('the batch was never taken')
}

test('a full disk: the oldest days go, telemetry waits, nothing that was acknowledged is lost', { skip, timeout: 180_000 }, async () => {
  const ballast = new Ballast()
  const first = await Server.start('drop')
  // More than the disk holds, the oldest first.
  for (const daysAgo of DAYS) await deliver(first, daysAgo)
  const { dropped } = await first.disk()
  assert.ok(dropped.length > 0)
  const spansDropped = new Set(dropped.filter(({ table }) => table === 'spans').map(({ id }) => id))
  assert.ok(spansDropped.has(dayOf(24)) && !spansDropped.has(dayOf(0)) && !spansDropped.has(dayOf(1)), [...spansDropped].join())
  assert.ok(first.log.some(({ level, message, table }) => level === 'warn' && message === 'a partition was dropped for want of room' && table === 'spans'))
  await first.end('SIGTERM')
  assert.equal(first.child.exitCode, 0)

  // Now nothing is dropped, and others fill the disk up to the reserve, of which small state may use what is left.
  const second = await Server.start('refuse')
  ballast.leave(1.2 * MIB)
  const lost = await second.send(spansOf(0), `${'d'.repeat(32)}/1`)
  assert.deepEqual([lost.status, lost.retryAfter, /disk_full/.test(lost.text)], [503, '30', true])
  const control = await fetch(`${second.url}/api/service/shop/control`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sampling: 0.5, expires: Date.now() + 600_000 }) })
  assert.equal(control.status, 200, await control.text())
  assert.equal((await second.disk()).state, 'full')
  // Not a byte is left: what is stored is read all the same.
  ballast.leave(0)
  assert.equal((await second.send(spansOf(0), `${'d'.repeat(32)}/2`)).status, 503)
  const { traces } = await second.get<{ traces: unknown[] }>('/api/spans/search?from=now-2d&to=now&service=shop&limit=5')
  assert.equal(traces.length, 5)
  void second.send(spansOf(0), `${'d'.repeat(32)}/3`).catch(() => undefined)
  await second.end('SIGKILL')

  ballast.remove()
  const third = await Server.start('drop')
  await deliver(third, 0)
  assert.equal((await third.get<{ sampling: number }>('/api/service/shop/control')).sampling, 0.5)
  const gone = new Set([...spansDropped, ...(await third.disk()).dropped.filter(({ table }) => table === 'spans').map(({ id }) => id)])
  await third.end('SIGTERM')
  const database = await EmbeddedDatabase.open(join(disk, 'data'), silentLog)
  try {
    const stored = new Map(await database.query(sql`SELECT toYYYYMMDD(toDate(ts)), count() FROM andon.spans GROUP BY 1`, ([day, count]) => [String(day), number(count)] as const))
    for (const [day, count] of acknowledged) assert.equal(stored.get(day) ?? 0, gone.has(day) ? 0 : count, day)
  } finally {
    await database.close()
  }
})
