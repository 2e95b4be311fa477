// The application of the other benchmarks, until it listens.
import { createRequire } from 'node:module'
import { fastify } from 'fastify'
import pg from 'pg'

const say: () => void = createRequire(import.meta.url)('./say.cjs')
const pool = new pg.Pool({ max: 10 })
const app = fastify()
app.get<{ Params: { id: string } }>('/boards/:id', async (request) => (await pool.query('SELECT id, title FROM cards WHERE board_id = $1', [request.params.id])).rows)
await app.listen({ port: 0, host: '127.0.0.1' })
say()
