// The texts of small programs that talk to databases, each the same for both sides: a script of statements, one step each.
import { MYSQL_SERVER } from '../mysql-server.test.ts'
import { STEPS } from './programs.test.ts'

/** pg, alone and by its pool; `PGURL` is a PostgreSQL. */
export const PG: string = `${STEPS}
const pg = require('pg')
const run = async () => {
  const { port } = new URL(process.env.PGURL)
  const closed = await freePort()
  const client = new pg.Client(process.env.PGURL)
  await step('connect', () => client.connect())
  await step('create', () => client.query('CREATE TEMPORARY TABLE cards (id int PRIMARY KEY, title text)'))
  await step('insert', () => client.query('INSERT INTO cards (id, title) VALUES ($1, $2), ($3, $4)', [1, 'one', 2, 'two']))
  await step('select', () => client.query("SELECT * FROM cards WHERE title = 'one' AND id = $1", [1]))
  await step('callback', () => new Promise((resolve) => client.query('SELECT 1 AS one', () => { trace.getTracer('t').startSpan('in the callback').end(); resolve() })))
  await step('prepared', () => client.query({ name: 'by id', text: 'SELECT * FROM cards WHERE id = $1', values: [2] }))
  await step('join', () => client.query('SELECT a.id FROM cards a JOIN cards b ON a.id = b.id'))
  await step('no such table', () => client.query('SELECT * FROM nothing'))
  await step('duplicate', () => client.query('INSERT INTO cards VALUES (1, \\'again\\')'))
  await step('transaction', async () => {
    await client.query('BEGIN')
    await client.query('UPDATE cards SET title = $1 WHERE id = $2', ['uno', 1])
    await client.query('ROLLBACK')
  })
  await step('queued', () => Promise.all([client.query('SELECT 1 AS a'), client.query('SELECT 2 AS b')]))
  await step('cursor', async () => {
    const Cursor = require('pg-cursor')
    const cursor = client.query(new Cursor('SELECT * FROM cards'))
    await cursor.read(1)
    await cursor.read(5)
    await cursor.close()
  })
  await step('several in one', () => client.query('SELECT 1 AS a; SELECT 2 AS b'))
  await step('with', () => client.query('WITH few AS (SELECT * FROM cards) SELECT count(*) FROM few'))
  await step('commented', () => client.query('/* who */ SELECT id -- what\\n FROM cards'))
  await step('own query', () => new Promise((resolve) => client.query(new pg.Query('SELECT 6 AS six')).on('end', resolve)))
  await step('nothing', () => client.query(''))
  await step('value out of range', () => client.query('SELECT $1::int', ['canary']))
  await client.end()
  const pool = new pg.Pool({ connectionString: process.env.PGURL, max: 1 })
  await step('first of the pool', () => pool.query('SELECT 1 AS one'))
  await step('again of the pool', () => pool.query('SELECT 2 AS two'))
  await step('waiting', () => Promise.all([pool.query('SELECT 3 AS three'), pool.query('SELECT 4 AS four')]))
  await step('by hand', async () => {
    const own = await pool.connect()
    await own.query('SELECT 5 AS five')
    own.release()
  })
  await step('callback of the pool', () => new Promise((resolve) => pool.query('SELECT 7 AS seven', () => { trace.getTracer('t').startSpan('in the callback').end(); resolve() })))
  await step('failing in the pool', () => pool.query('SELECT * FROM nothing'))
  await pool.end()
  await step('pool refused', async () => {
    const nobody = new pg.Pool({ host: '127.0.0.1', port: closed, user: 'u', database: 'd' })
    await nobody.query('SELECT 8 AS eight').catch(() => {})
    await nobody.end()
  })
  await step('refused', () => new pg.Client({ host: '127.0.0.1', port: closed, user: 'u', database: 'd' }).connect())
  tell({ server: Number(port), closed })
}
run()
`

/** mysql2 against a server of its own protocol. */
export const MYSQL2: string = `${STEPS}
const mysql = require('mysql2')
${MYSQL_SERVER}
server.listen(0, '127.0.0.1', async () => {
  const { port } = server._server.address()
  const closed = await freePort()
  const options = { host: '127.0.0.1', port, user: 'u', database: 'shop' }
  const connection = mysql.createConnection(options)
  const promised = connection.promise()
  await step('callback', () => new Promise((resolve) => connection.query('SELECT n FROM t', () => { trace.getTracer('t').startSpan('in the callback').end(); resolve() })))
  await step('promise', () => promised.query('SELECT n FROM t WHERE n = 5'))
  await step('values', () => promised.query('INSERT INTO t VALUES (?, ?)', [1, 'two']))
  await step('options', () => promised.query({ sql: 'SELECT n FROM other WHERE n = ?', values: [3] }))
  await step('broken', () => promised.query('SELECT n FROM broken'))
  await step('events', () => new Promise((resolve) => connection.query('SELECT n FROM streamed').on('end', resolve)))
  await step('transaction', async () => {
    await promised.beginTransaction()
    await promised.query('UPDATE t SET n = 2')
    await promised.commit()
  })
  await step('execute', () => promised.execute('SELECT n FROM executed WHERE n = ?', [1]))
  await step('execute broken', () => promised.execute('SELECT n FROM broken'))
  await step('prepared', async () => {
    const statement = await promised.prepare('SELECT n FROM prepared WHERE n = ?')
    await statement.execute([1])
    await statement.execute([2])
    const wrong = await promised.prepare('SELECT n FROM broken')
    await wrong.execute([]).catch(() => {})
    await statement.close()
  })
  await promised.end()
  const pool = mysql.createPool({ ...options, connectionLimit: 1 })
  await step('pool', () => pool.promise().query('SELECT n FROM pooled'))
  await step('waiting', () => Promise.all([pool.promise().query('SELECT n FROM one'), pool.promise().query('SELECT n FROM two')]))
  await step('by hand', async () => {
    const own = await pool.promise().getConnection()
    await own.query('SELECT n FROM own')
    own.release()
  })
  await pool.promise().end()
  const nobody = mysql.createPool({ ...options, port: closed })
  await step('connection refused', () => new Promise((resolve) => mysql.createConnection({ ...options, port: closed }).query('SELECT n FROM lost', () => resolve())))
  await step('refused', () => nobody.promise().query('SELECT n FROM nowhere'))
  await nobody.promise().end()
  server.close(() => {})
  tell({ server: port, closed })
})
`

/** ioredis on the Redis at `PORT`. */
export const IOREDIS: string = `${STEPS}
const Redis = require('ioredis')
const run = async () => {
  const options = { host: '127.0.0.1', port: Number(process.env.PORT), db: 3 }
  const redis = new Redis({ ...options, lazyConnect: true })
  await step('connect', () => redis.connect())
  await step('set', () => redis.set('key', 'canary'))
  await step('get', () => redis.get('key'))
  await step('hash', () => redis.hset('hash', 'field', 'canary', 'other', 1))
  await step('several', () => redis.mget('key', 'other'))
  await step('callback', () => new Promise((resolve) => redis.get('key', () => { trace.getTracer('t').startSpan('in the callback').end(); resolve() })))
  await step('broken', () => redis.lpush('key', 'x'))
  await step('pipeline', () => redis.pipeline().incr('count').get('key').exec())
  await step('transaction', () => redis.multi().incr('count').get('key').exec())
  await step('transaction by hand', async () => {
    await redis.multi({ pipeline: false })
    await redis.incr('count')
    await redis.exec()
  })
  await step('script', () => redis.eval('return 1', 0))
  await step('another database', async () => { await redis.select(4); await redis.get('key') })
  await step('waits', () => redis.blpop('nothing', 0.05))
  await step('ping', () => redis.ping())
  await step('quit', () => redis.quit())
  const closed = await freePort()
  const nobody = new Redis({ host: '127.0.0.1', port: closed, lazyConnect: true, retryStrategy: () => null })
  nobody.on('error', () => {})
  await step('refused', () => nobody.get('key'))
  tell({ closed })
}
run()
`

/** node-redis on the Redis at `PORT`; which version is a matter of what `FILE` leads to. */
export const NODE_REDIS: string = `${STEPS}
const { createClient } = require(process.env.FILE)
const run = async () => {
  const client = createClient({ socket: { host: '127.0.0.1', port: Number(process.env.PORT) }, database: 3 })
  client.on('error', () => {})
  await step('connect', () => client.connect())
  await step('set', () => client.set('key', 'canary'))
  await step('get', () => client.get('key'))
  await step('hash', () => client.hSet('hash', { field: 'canary', other: 1 }))
  await step('several', () => client.mGet(['key', 'other']))
  await step('words', () => client.sendCommand(['EXISTS', 'key']))
  await step('broken', () => client.lPush('key', 'x'))
  await step('at once', () => Promise.all([client.incr('count'), client.get('key')]))
  await step('transaction', () => client.multi().incr('count').get('key').exec())
  await step('transaction that fails', () => client.multi().lPush('key', 'x').get('key').exec())
  await step('pipeline', () => client.multi().incr('count').get('key').execAsPipeline())
  await step('script', () => client.eval('return 1'))
  await step('waits', () => client.blPop('nothing', 0.05))
  await step('ping', () => client.ping())
  await step('another database', async () => { await client.select(4); await client.get('key') })
  await step('quit', () => client.quit())
  const closed = await freePort()
  const nobody = createClient({ socket: { host: '127.0.0.1', port: closed, reconnectStrategy: false } })
  nobody.on('error', () => {})
  await step('refused', () => nobody.connect())
  tell({ closed })
}
run()
`
