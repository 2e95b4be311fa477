// The engine by address: what it says when the server refuses or is away, that nothing acknowledged is lost, and that a query that
// nobody waits for ends.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { AndonError, seriesId } from '@andon/model'
import { systemClock } from '../runtime/clock.ts'
import { createLog, silentLog } from '../runtime/log.ts'
import { number, stringOf } from './cells.ts'
import { cannotRun, type ClickHouseProcess, PASSWORD, startClickHouse } from './clickhouse-process.test.ts'
import { ServerDatabase, type ServerOptions } from './engine-server.ts'
import { openStore, type Store } from './index.ts'
import { ids, sql, text } from './sql.ts'

const skip = cannotRun()
const folder = mkdtempSync(join(tmpdir(), 'andon-server-'))
let server: ClickHouseProcess

before(async () => {
  if (skip !== false) return
  const [started] = await startClickHouse(folder)
  assert.ok(started)
  server = started
})
after(async () => {
  if (skip === false) await server.kill()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

const lines: string[] = []
const log = createLog('debug', () => 0, (line) => void lines.push(line))

async function open(more: Partial<ServerOptions> = {}): Promise<Store> {
  return await openStore({ dataDir: join(folder, 'unused'), server: server.options(more), log, clock: systemClock })
}

/** The error of opening. */
async function refusal(more: Partial<ServerOptions>): Promise<AndonError> {
  const error: unknown = await open(more).then(
    async (store) => await store.close(),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AndonError, String(error))
  return error
}

async function database(more: Partial<ServerOptions> = {}): Promise<ServerDatabase> {
  const opened = new ServerDatabase(server.options({ database: 'probe', ...more }), log)
  await opened.open()
  return opened
}

test('what refuses at the start says what to do, and nobody is told the password', { skip, timeout: 60_000 }, async () => {
  const wrong = 'not-the-password'
  const refused = [
    await refusal({ password: wrong }),
    await refusal({ user: 'nobody', password: wrong }),
    await refusal({ cluster: 'absent' }),
    await refusal({ url: 'http://127.0.0.1:1' }),
    await refusal({ user: 'reader', database: 'new_one' }),
  ]
  assert.deepEqual(refused.map(({ code, hint }) => [code, /CLICKHOUSE_\w+|docs\/\S+/.exec(hint)?.[0]]), [
    ['bad_config', 'CLICKHOUSE_USER'],
    ['bad_config', 'CLICKHOUSE_USER'],
    ['bad_config', 'CLICKHOUSE_CLUSTER'],
    ['unavailable', 'CLICKHOUSE_URL'],
    ['bad_config', 'docs/guides/clickhouse-server.md'],
  ])
  const words = refused.map((error) => `${error.message} ${error.hint} ${String(error.cause)}`).join('\n') + lines.join('')
  assert.match(words, /ECONNREFUSED/)
  assert.ok(!words.includes(wrong) && !words.includes(PASSWORD), 'a password is told')
})

test('the status names the server and not who Andon is there', { skip, timeout: 60_000 }, async () => {
  const store = await open({ database: 'named' })
  const { engine, tables, queue, retention } = await store.status()
  const disk = await store.disk.space()
  await store.close()
  assert.match(engine, /^ClickHouse \d+\.\d+\S* at http:\/\/127\.0\.0\.1:\d+, database named$/)
  assert.ok(tables.some(({ name }) => name === 'schema_migrations'))
  assert.equal(retention.find(({ name }) => name === 'spans')?.days, 7)
  assert.ok(disk.totalBytes > disk.freeBytes && disk.freeBytes > 0)
  assert.equal(queue, undefined)
})

test('errors of ClickHouse are errors of ours, by their code', { skip, timeout: 60_000 }, async (t) => {
  const opened = await database()
  t.after(() => opened.close())
  const codeOf = async (statement: ReturnType<typeof sql>): Promise<string> => {
    const error: unknown = await opened.query(statement, (row) => row).catch((reason: unknown) => reason)
    return error instanceof AndonError ? error.code : String(error)
  }
  assert.equal(await codeOf(sql`SELECT throwIf(1)`), 'query_failed')
  assert.equal(await codeOf(sql`SELECT sum(number) FROM numbers(1000000000000) SETTINGS max_execution_time = 0.2`), 'query_timeout')
  assert.equal(await codeOf(sql`SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000`), 'query_too_large')
  assert.equal(await codeOf(sql`CREATE TABLE probe.t (v UInt8) ENGINE = Memory`), 'query_failed', 'a read is nothing else')
  // Late errors come as errors too, not as the end of an answer.
  assert.equal(await codeOf(sql`SELECT number, throwIf(number = 5000000) FROM numbers(10000000)`), 'query_failed')
})

test('texts of every kind and long lists arrive as they are bound', { skip, timeout: 60_000 }, async (t) => {
  const opened = await database()
  t.after(() => opened.close())
  const words = ["'", '\\', '\t\n\r\0', '{p1:String}', "'; DROP TABLE x; --", 'ä😀', '%41', 'andon.spans', "\\'"]
  for (const word of words) {
    const [back] = await opened.query(sql`SELECT ${text(word)}, 'andon.spans'`, ([cell, quoted]) => [stringOf(cell), stringOf(quoted)])
    assert.deepEqual(back, [word, 'andon.spans'])
  }
  const many = Array.from({ length: 150_000 }, (_, index) => (1n << 64n) - 1n - BigInt(index))
  const [found] = await opened.query(sql`SELECT count(), uniqExact(id), max(id) FROM (SELECT bitNot(number) AS id FROM numbers(200000)) WHERE id IN ${ids(many)}`, (row) => row.map(stringOf))
  assert.deepEqual(found, ['150000', '150000', String((1n << 64n) - 1n)])
})

test('a query that is given up ends on the server as well', { skip, timeout: 60_000 }, async (t) => {
  const opened = await database()
  t.after(() => opened.close())
  const mark = 'given-up-by-a-test'
  const running = async (): Promise<number> => {
    const [count = 0] = await opened.query(sql`SELECT count() FROM system.processes WHERE query LIKE ${text(`%sleepEachRow%${mark}%`)} AND query NOT LIKE '%system.processes%'`, ([cell]) => number(cell))
    return count
  }
  const until = async (wanted: number): Promise<void> => {
    for (let tries = 0; (await running()) !== wanted; tries += 1) {
      assert.ok(tries < 100, wanted === 0 ? 'the query still runs' : 'the query does not run')
      await wait(100)
    }
  }
  const aborter = new AbortController()
  // Of many small blocks, between which the engine looks whether somebody waits.
  const asked = opened.query(sql`SELECT sum(sleepEachRow(0.01) + length('given-up-by-a-test')) FROM numbers(100000) SETTINGS max_block_size = 1`, (row) => row, aborter.signal)
  const ended = assert.rejects(asked, /enough/)
  await until(1)
  aborter.abort(new Error('enough'))
  await ended
  await until(0)
})

test('while the server is away, writing and reading fail as unavailable; afterwards all that was acknowledged is there, once', { skip, timeout: 120_000 }, async (t) => {
  const store = await open({ database: 'lost' })
  t.after(() => store.close())
  const labels = { __name__: 'orders_total', job: 'shop' }
  const now = Date.now()
  const write = async (sequence: number): Promise<void> => {
    const ts = now - 60_000 + sequence * 1000
    await store.metrics.write(
      { series: [{ id: seriesId(labels), type: 'counter', labels }], metadata: [], samples: [{ id: seriesId(labels), ts, start: ts - 1000, value: 1, stale: false, delta: true, increase: 1 }], histograms: [], exemplars: [] },
      { batch: `${'ef'.repeat(16)}/${sequence}` },
    )
  }
  let acknowledged = 0
  let killed: Promise<void> | undefined
  const failed: unknown = await (async () => {
    for (;;) {
      await write(acknowledged)
      acknowledged += 1
      // Not at an acknowledgement but at some moment of the following writes.
      if (acknowledged === 5) killed = wait(Math.random() * 50).then(() => server.kill())
    }
  })().catch((error: unknown) => error)
  await killed
  assert.ok(acknowledged >= 5)
  assert.ok(failed instanceof AndonError && failed.code === 'unavailable' && failed.status === 503, String(failed))
  await assert.rejects(store.spans.services({ start: 0, end: now }), { code: 'unavailable' })
  await assert.rejects(write(acknowledged), { code: 'unavailable' })
  await server.start()
  // As an agent does: what was not acknowledged is sent again.
  for (let sequence = Math.max(0, acknowledged - 3); sequence < acknowledged + 2; sequence += 1) await write(sequence)
  const named = [{ name: '__name__', operator: '=', value: 'orders_total' }] as const
  const range = { start: now - 3_600_000, end: now + 3_600_000 }
  const [series] = await store.metrics.select(named, range)
  assert.deepEqual([series?.v.at(-1), await store.metrics.rolledUpIncrease(named, { ...range, start: now - 2 * 3_600_000 })], [acknowledged + 2, { minutes: acknowledged + 2, hours: acknowledged + 2 }])
  const told = lines.map((line) => (JSON.parse(line) as { message: string }).message)
  assert.ok(told.includes('ClickHouse cannot be reached') && told.includes('ClickHouse can be reached again'))
})

/** A certificate of its own for 127.0.0.1; undefined where there is no openssl. */
function certificate(): { key: string; cert: string } | undefined {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } catch {
    return undefined
  }
}

test('over TLS the certificate is checked, against a file of ours where one is named', { skip, timeout: 60_000 }, async (t) => {
  const pair = certificate()
  if (pair === undefined) return t.skip('there is no openssl to make a certificate with')
  const proxy: Server = createServer(pair, (incoming, outgoing) => {
    const onward = request(`${server.url}${incoming.url ?? ''}`, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const address = proxy.address()
  const url = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const distrusted = await refusal({ url })
  assert.equal(distrusted.code, 'unavailable')
  assert.match(distrusted.message, /SELF_SIGNED/)
  assert.match(distrusted.hint, /CLICKHOUSE_CA_FILE/)
  const store = await openStore({ dataDir: folder, server: server.options({ url, ca: Buffer.from(pair.cert), database: 'by_tls' }), log: silentLog, clock: systemClock })
  await store.metrics.write({ series: [], metadata: [{ name: 'm', otelName: 'm', type: 'gauge', unit: '', help: '' }], samples: [], histograms: [], exemplars: [] })
  assert.deepEqual((await store.metrics.metadata()).map(({ name }) => name), ['m'])
  await store.close()
})
