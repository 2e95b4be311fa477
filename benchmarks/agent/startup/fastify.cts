// The same as `fastify.mts`, as CommonJS.
import type { fastify as Fastify } from 'fastify'
import type * as Pg from 'pg'

const { fastify }: { readonly fastify: typeof Fastify } = require('fastify')
const pg: typeof Pg = require('pg')
const say: () => void = require('./say.cjs')

const pool = new pg.Pool({ max: 10 })
const app = fastify()
app.get<{ Params: { id: string } }>('/boards/:id', async (request) => (await pool.query('SELECT id, title FROM cards WHERE board_id = $1', [request.params.id])).rows)
app.listen({ port: 0, host: '127.0.0.1' }, say)
