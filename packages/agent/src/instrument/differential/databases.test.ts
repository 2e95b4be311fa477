// Clients of databases: our spans against those of the published instrumentations. There is none for SQLite.
import { type TestContext, test } from 'node:test'
import { noPostgres, startPostgres } from '../../postgres.test.ts'
import { copyAs } from '../library-copy.test.ts'
import { startRedis } from '../redis-server.test.ts'
import type { Allowed } from './comparison.test.ts'
import { IOREDIS, MYSQL2, NODE_REDIS, PG } from './database-programs.test.ts'
import { compareBoth, LIMIT_MS } from './run-both.test.ts'

/** Of every database here. */
const MORE: readonly Allowed[] = [
  { field: 'db.query.summary', ours: /^[A-Z]+(?: \w+)*$/, theirs: /^$/, because: 'names of spans are summaries, and said to be' },
  { field: 'error.type', ours: /^[\w]+$/, theirs: /^$/, because: 'the conventions want it where a call has failed' },
  { field: 'db.response.status_code', ours: /^[\w]+$/, theirs: /^$/, because: 'the conventions want it where the database has said why' },
]

/** Of databases that speak SQL. */
const SQL: readonly Allowed[] = [
  ...MORE,
  { field: 'db.operation.name', ours: /^[A-Z]+$/, theirs: /^$/, because: 'the text of the statement says it' },
  { field: 'db.collection.name', ours: /^\w+$/, theirs: /^$/, because: 'the text of the statement says it' },
  { field: 'db.query.text', ours: /\?/, theirs: /\d|'/, because: 'values are redacted' },
]

/** Of calls that fail. */
const CALL: Allowed = { field: 'exceptions', ours: /^$/, because: 'the status says it: whoever asked gets the error, and records it where it is one' }

const PG_ALLOWED: readonly Allowed[] = [
  ...SQL,
  CALL,
  { field: 'name', ours: /^[A-Z]+(?: \w+)*$/, theirs: /^pg\.(?:query:|connect$)/, because: 'names are summaries, by the conventions' },
  { field: 'span', theirs: /^pg-pool\.connect$/, because: 'a wait for a connection is an attribute of the statement that waited' },
  { field: 'span', at: /^step cursor$/, ours: /^SELECT cards \[/, because: 'cursors are statements too' },
  { field: 'span', at: /^step own query$/, ours: /^SELECT \[/, because: 'so is what an application makes of the class' },
  { field: 'span', at: /^step nothing$/, theirs: /^pg\.query: /, because: 'an empty text is no statement' },
]

const MYSQL2_ALLOWED: readonly Allowed[] = [
  ...SQL,
  { field: 'name', ours: /^[A-Z]+ \w+$/, theirs: /^[A-Z]+$/, because: 'names are summaries, by the conventions' },
  { field: 'span', at: /^step callback$/, ours: /^in the callback$/, because: 'a callback runs in the context of who asked' },
  { field: 'span', at: /^$/, theirs: /^in the callback$/, because: 'theirs has lost the context there' },
  { field: 'span', at: /^step prepared$/, ours: /^SELECT prepared \[/, because: 'prepared statements are statements too' },
  { field: 'span', at: /^step prepared$/, ours: /^SELECT broken \[/, because: 'prepared statements are statements too' },
  { field: 'span', at: /^step waiting$/, ours: /^SELECT two \[/, because: 'a statement that waits stays with who asked' },
  { field: 'span', at: /^step pool$/, theirs: /^SELECT \[SELECT n FROM two\]$/, because: 'theirs gives it to who had the connection opened' },
]

const REDIS: readonly Allowed[] = [
  ...MORE,
  CALL,
  { field: 'db.namespace', ours: /^[034]$/, theirs: /^$/, because: 'the index of the database, by the conventions' },
  { field: 'db.query.text', ours: /^[A-Z]+(?: \?)?$/, because: 'keys may be secret as values are' },
]

const IOREDIS_ALLOWED: readonly Allowed[] = [
  ...REDIS,
  { field: 'span', at: /^step (?:connect|refused)$/, theirs: /^(?:connect|select|client|info) \[/, because: 'what opens a connection is of the connection, not of who has it opened' },
  { field: 'name', ours: /^[A-Z]+$/, theirs: /^[a-z]+$/, because: 'one name for a command, however a library writes it' },
  { field: 'db.operation.name', ours: /^[A-Z]+$/, theirs: /^(?:(?:PIPELINE|MULTI) )?[a-z]+$/, because: 'one name for a command, also where it is one of several' },
]

const NODE_REDIS_ALLOWED: readonly Allowed[] = [
  ...REDIS,
  { field: 'span', theirs: /^redis-connect$/, because: 'what opens a connection is of the connection, not of who has it opened' },
  { field: 'span', at: /^step transaction/, ours: /^(?:MULTI|EXEC) \[/, because: 'they are commands, as in ioredis' },
  { field: 'name', ours: /^[A-Z]+$/, theirs: /^redis-[A-Z]+$/, because: 'names are summaries, by the conventions' },
  { field: 'db.operation.name', ours: /^[A-Z]+$/, theirs: /^(?:PIPELINE|MULTI)$/, because: 'one name for a command, also where it is one of several' },
  { field: 'status', at: /^step transaction that fails > client LPUSH$/, ours: /^unset$/, theirs: /^error$/, because: 'the command is only queued: EXEC has failed' },
  { field: 'span', at: /^step quit$/, ours: /^QUIT \[/, because: 'a command is a command' },
]
/** Theirs does not see it in version 4. */
const SELECTS: Allowed = { field: 'span', at: /^step another database$/, ours: /^SELECT \[/, because: 'a command is a command' }

test('pg and its pool', { timeout: LIMIT_MS, skip: noPostgres }, async (t) => compareBoth(t, PG, PG_ALLOWED, { PGURL: await startPostgres(t) }))

test('mysql2', { timeout: LIMIT_MS }, (t) => compareBoth(t, MYSQL2, MYSQL2_ALLOWED))

test('on a Redis', { timeout: 3 * LIMIT_MS }, async (t) => {
  const port = await startRedis(t)
  if (port === undefined) {
    t.skip('no Redis is installed and none can be had')
    return
  }
  const options = { ports: { server: port }, PORT: String(port) }
  const node = (inner: TestContext, FILE: string, allowed: readonly Allowed[]): Promise<void> => compareBoth(inner, NODE_REDIS, allowed, { ...options, FILE })
  await t.test('ioredis', (inner) => compareBoth(inner, IOREDIS, IOREDIS_ALLOWED, options))
  await t.test('redis 5', (inner) => node(inner, 'redis', NODE_REDIS_ALLOWED))
  await t.test('redis 4', (inner) => node(inner, copyAs(inner, 'redis4', 'redis').replace('app.js', 'node_modules/redis'), [...NODE_REDIS_ALLOWED, SELECTS]))
})
