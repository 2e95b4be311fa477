// The application that is measured: JSON over Fastify or Express, two statements a request through a pool of 10.
// Run as a child with an IPC channel: 'usage' is answered with what this process has used, 'drain' with the same once
// everything recorded has been sent; 'profile' begins a profile, of which 'shares' tells whose code took how long.
// The packages are required, because peers see what is imported only through a loader of their own.
import { createRequire } from 'node:module'
import type Express from 'express'
import type { fastify as Fastify } from 'fastify'
import type Pg from 'pg'
import { drain } from './drain.ts'
import { readUsage } from './usage.ts'
import { beginProfile, endProfile } from './where.ts'

const load: NodeJS.Require = createRequire(import.meta.url)
const pg: typeof Pg = load('pg')

const pool = new pg.Pool({ connectionString: process.env['PGURL'], max: 10 })

async function board(id: number): Promise<unknown> {
  const cards = await pool.query('SELECT id, title FROM cards WHERE board_id = $1', [id])
  const labels = await pool.query('SELECT id, title FROM labels WHERE board_id = $1', [id])
  return { id, cards: cards.rows, labels: labels.rows }
}

function listening(port: number): void {
  process.send?.({ port })
}

if (process.env['FRAMEWORK'] === 'express') {
  const express: typeof Express = load('express')
  const app = express()
  app.get('/boards/:id', async (request, response) => {
    response.json(await board(Number(request.params.id)))
  })
  const server = app.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address !== null) listening(address.port)
  })
} else {
  const { fastify }: { readonly fastify: typeof Fastify } = load('fastify')
  const app = fastify()
  app.get<{ Params: { id: string } }>('/boards/:id', (request) => board(Number(request.params.id)))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const address = app.server.address()
  if (typeof address === 'object' && address !== null) listening(address.port)
}

const tell = (): void => void process.send?.(readUsage())

process.on('message', (asked: 'usage' | 'drain' | 'profile' | 'shares') => {
  if (asked === 'drain') void drain(process.env['SUBJECT'] ?? '').then(tell)
  else if (asked === 'profile') void beginProfile().then(tell)
  else if (asked === 'shares') void endProfile().then((shares) => process.send?.(shares))
  else tell()
})
// It must not outlive who measures.
process.once('disconnect', () => process.exit())
