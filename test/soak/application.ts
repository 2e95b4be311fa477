// The application of the soak: JSON over Fastify, statements through a pool of 10, calls to another service, errors and
// measurements of its own. A child with an IPC channel; a message is answered with what the process holds after a collection.
import { createRequire } from 'node:module'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { getMonitor } from '@andon/agent'
import { root } from '../repository/root.ts'
import type { Holding } from './soak.ts'

interface Pool {
  query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

interface Request {
  readonly params: Readonly<Record<string, string>>
}

interface Application {
  get(path: string, handle: (request: Request) => Promise<unknown>): void
  listen(at: { readonly port: number; readonly host: string }): Promise<string>
}

// As the kanban finds them, which is an application with both.
const load = createRequire(join(root, 'apps/kanban/package.json'))
const { Pool: PoolOf }: { readonly Pool: new (options: { readonly connectionString: string | undefined; readonly max: number }) => Pool } = load('pg')
const { fastify }: { readonly fastify: () => Application } = load('fastify')

const pool = new PoolOf({ connectionString: process.env['PGURL'], max: 10 })
const backend = process.env['BACKEND'] ?? ''
const monitor = getMonitor()
const app = fastify()

app.get('/boards/:id', async ({ params }) => {
  const cards = await pool.query('SELECT id, title FROM cards WHERE board_id = $1', [params['id']])
  const labels = await pool.query('SELECT id, title FROM labels WHERE board_id = $1', [params['id']])
  return { id: params['id'], cards: cards.rows, labels: labels.rows }
})
app.get('/ping', () => Promise.resolve({ pong: true }))
// A text, a name and values that come once.
app.get('/unique/:id', async ({ params }) => {
  const id = Number(params['id'])
  const { rows } = await pool.query(`SELECT id, title FROM cards_${id % 50_000} WHERE id = ${id} AND title = 'card ${id}'`)
  monitor.recordMetric(`boards.opened`, id, { board: String(id) })
  const timer = monitor.startTimer('unique')
  timer.stop()
  return rows
})
app.get('/call/:id', async ({ params }) => {
  const response = await fetch(`${backend}/prices/${params['id']}?page=${params['id']}`, { headers: { 'x-request': `call-${params['id']}` } })
  return { price: await response.text() }
})
app.get('/fail/:id', async ({ params }) => {
  try {
    return await pool.query(`INSERT INTO refuse VALUES (${Number(params['id'])})`)
  } catch (error) {
    if (error instanceof Error) monitor.recordError(error, { operation: 'fail', id: params['id'] })
    throw new Error(`board ${params['id']} failed: password=${params['id']}`, { cause: error })
  }
})

const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.({ port: Number(new URL(address).port) })

function countOf(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const each of all) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

async function holding(): Promise<Holding> {
  await monitor.flush()
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  const files = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
  return { heapBytes: heapUsed, externalBytes: external, residentBytes: rss, files, resources: countOf(process.getActiveResourcesInfo()) }
}

process.on('message', () => void holding().then((held) => process.send?.(held)))
