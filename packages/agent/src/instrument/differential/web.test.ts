// Requests in both directions and web frameworks: our spans against those of the published instrumentations.
import { test } from 'node:test'
import { copyAs } from '../library-copy.test.ts'
import type { Allowed } from './comparison.test.ts'
import { EXPRESS, FASTIFY, FETCH, KOA, NODE_HTTP } from './programs.test.ts'
import { compareBoth, LIMIT_MS } from './run-both.test.ts'

/** Of requests that come in and go out through node:http, in every program here. */
const HTTP: readonly Allowed[] = [
  { field: 'error.type', ours: /^[45]\d\d$/, theirs: /^$/, because: 'the conventions want the status where it is an error' },
]

/** Of http alone. */
const METHOD: Allowed = { field: 'name', ours: /^HTTP$/, theirs: /^PURGE$/, because: 'a method that is not known is HTTP in names: a client could make any' }
const SECRET: Allowed = { field: 'url.query', ours: /token=\[redacted\]/, theirs: /token=s3cret/, because: 'secrets are redacted' }
const CALL: Allowed = { field: 'exceptions', at: /> client [A-Z]+$/, ours: /^$/, because: 'the status says it: whoever asked gets the error, and records it where it is one' }
const CODE: Allowed = { field: 'error.type', ours: /^ECONN(?:RESET|REFUSED)$/, theirs: /^Error$/, because: 'the code says which error' }

const NODE: readonly Allowed[] = [...HTTP, METHOD, SECRET, CODE, CALL,
  { field: 'user_agent.original', at: /> client [A-Z]+$/, ours: /^$/, because: 'who asks is the service itself; opt-in by the conventions' },
  { field: 'url.full', ours: /:<server>\/item\?token=\[redacted\]$/, theirs: /^http:\/\/REDACTED:REDACTED@/, because: 'secrets are redacted, and user and password left out' },
  { field: 'server.address', at: /^step listed headers .* server GET$/, ours: /^listed\.example$/, because: 'theirs loses the Host header that the application gave' },
  ...['http.response.status_code', 'network.protocol.version', 'network.peer.address', 'network.peer.port'].map((field): Allowed => ({ field, at: /^step upgrade > client GET$/, theirs: /^$/, because: 'an upgrade is an answer too' })),
  { field: 'server.port', at: /^step listed headers .* server GET$/, ours: /^80$/, because: 'theirs loses the Host header that the application gave' },
]

test('http: server and client', { timeout: LIMIT_MS }, (t) => compareBoth(t, NODE_HTTP, NODE))
test('fetch and undici', { timeout: LIMIT_MS }, (t) => compareBoth(t, FETCH, [...HTTP, METHOD, SECRET, CALL,
  { field: 'user_agent.original', at: /> client [A-Z]+$/, ours: /^$/, because: 'who asks is the service itself; opt-in by the conventions' },
  { field: 'url.full', ours: /\/item\?token=\[redacted\]$/, theirs: /\/item\?token=s3cret$/, because: 'secrets are redacted' },
  { field: 'http.request.method_original', ours: /^$/, because: 'it is for methods that are recorded as another' },
  { field: 'url.path', at: /> client [A-Z]+$/, ours: /^$/, because: 'url.full has it; the conventions do not name it for clients' },
  { field: 'url.query', at: /> client [A-Z]+$/, ours: /^$/, because: 'url.full has it; the conventions do not name it for clients' },
  { field: 'url.scheme', at: /> client [A-Z]+$/, ours: /^$/, because: 'url.full has it; opt-in by the conventions' },
]))

const EXPRESS_ALLOWED: readonly Allowed[] = [...HTTP,
  { field: 'name', at: /missing below|turned away/, ours: /^GET$/, theirs: /^GET \/(?:api|guarded)$/, because: 'a path that only middleware has is no route' },
  { field: 'http.route', at: /missing below|turned away/, ours: /^$/, theirs: /^\/(?:api|guarded)$/, because: 'a path that only middleware has is no route' },
  { field: 'span', theirs: /^middleware - /, because: 'no spans of the framework\'s own parts' },
  { field: 'span', theirs: /^router - /, because: 'no spans of the framework\'s own parts' },
  { field: 'span', theirs: /^request handler/, because: 'no spans of the framework\'s own parts' },
]

test('Express 5', { timeout: LIMIT_MS }, (t) => compareBoth(t, EXPRESS, EXPRESS_ALLOWED, { FILE: 'express' }))
test('Express 4', { timeout: LIMIT_MS }, (t) => compareBoth(t, EXPRESS, EXPRESS_ALLOWED, { FILE: copyAs(t, 'express4', 'express').replace('app.js', 'node_modules/express') }))
test('Koa', { timeout: LIMIT_MS }, (t) => compareBoth(t, KOA, [...HTTP,
  { field: 'span', theirs: /^middleware - /, because: 'no spans of the framework\'s own parts' },
  { field: 'span', theirs: /^router - /, because: 'no spans of the framework\'s own parts' },
]))
test('Fastify', { timeout: LIMIT_MS }, (t) => compareBoth(t, FASTIFY, [...HTTP,
  { field: 'exceptions', at: /^step invalid/, ours: /^FastifyError: /, theirs: /^FST_ERR_CTP_INVALID_JSON_BODY: /, because: 'the type of an exception is its class' },
  { field: 'span', theirs: /^(?:request|handler - |onRequest - |onSend - )/, because: 'no spans of the framework\'s own parts' },
]))
