// The application: its routes, and what holds for all of them.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import cookie from '@fastify/cookie'
import statics from '@fastify/static'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Accounts } from './accounts.ts'
import { Boards } from './boards.ts'
import { ReadCache } from './cache.ts'
import { Comments } from './comments.ts'
import { registerCompression } from './compression.ts'
import type { Database } from './db.ts'
import { answerUnreadable, REFERENCE, registerErrors, sendError } from './errors.ts'
import { FaultyDatabase } from './fault-database.ts'
import { restoreHistory } from './fault-history.ts'
import { registerFaultyRequests } from './fault-requests.ts'
import { FaultyCache, FaultyTasks } from './fault-tasks.ts'
import type { Faults } from './faults.ts'
import { COOKIE, type Caches, type Kanban } from './kanban.ts'
import { LiveHub } from './live.ts'
import { KanbanMetrics } from './metrics.ts'
import { Refusal } from './refusal.ts'
import { registerBoards } from './routes-boards.ts'
import { registerFaults } from './routes-faults.ts'
import { registerPeople } from './routes-people.ts'
import { registerTasks } from './routes-tasks.ts'
import { seed } from './seed.ts'
import { Tasks } from './tasks.ts'

/** Routes that anyone may ask. */
const OPEN: ReadonlySet<string> = new Set(['/healthz', '/api/login', '/api/logout', '/api/session'])

const CSP = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

function tokenOf(request: FastifyRequest): string | undefined {
  return /^Bearer (\S{1,200})$/.exec(request.headers.authorization ?? '')?.[1] ?? request.cookies[COOKIE]
}

/** The built page, with a text in its place when it was not built. */
async function registerPage(app: FastifyInstance): Promise<void> {
  const root = join(import.meta.dirname, '../dist-web')
  const built = existsSync(join(root, 'index.html'))
  if (built) await app.register(statics, { root, wildcard: false, index: ['index.html'] })
  app.setNotFoundHandler((request, reply) => {
    const isPage = request.method === 'GET' && !request.url.startsWith('/api/') && (request.headers.accept ?? '').includes('text/html')
    if (!isPage) return reply.code(404).send({ error: { code: 'not_found', message: `There is no ${request.method} ${request.url.split('?', 1)[0] ?? ''}.`, hint: REFERENCE } })
    return built ? reply.sendFile('index.html') : reply.type('text/plain').send('The page is not built yet: run `npm run build`.\n')
  })
}

/** Changing requests of a page must come from this very page. */
function checkOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers
  if (request.method === 'GET' || request.method === 'HEAD' || origin === undefined) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new Refusal(403, 'foreign_origin', 'This request comes from another site.', 'Use the page of this kanban, or send an API token without an Origin.')
}

function registerGuard(app: FastifyInstance, accounts: Accounts): void {
  app.decorateRequest('person')
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    void reply.header('content-security-policy', CSP).header('x-content-type-options', 'nosniff').header('referrer-policy', 'same-origin')
    checkOrigin(request)
    const path = request.routeOptions.url ?? ''
    if (OPEN.has(path) || !path.startsWith('/api/')) return
    const token = tokenOf(request)
    const person = token === undefined ? undefined : await accounts.whose(token)
    if (person === undefined) throw new Refusal(401, 'unauthorized', 'Please log in.', 'POST /api/login, or send an API token.')
    request.person = person
  })
}

function cachesOf(metrics: KanbanMetrics, faults: Faults | undefined): Caches {
  if (faults === undefined) return { board: new ReadCache(metrics), search: new ReadCache(metrics), task: new ReadCache(metrics) }
  return { board: new FaultyCache(metrics, faults), search: new FaultyCache(metrics, faults), task: new FaultyCache(metrics, faults) }
}

/**
 * Makes the application on an open database; the caller listens and closes.
 *
 * @param faults - the switches of faults; without them there are neither faults nor a route to them
 */
export async function createApp(sound: Database, faults?: Faults): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: 1_048_576,
    logger: { level: 'error' },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    // What is refused before there is a route, such as an address that cannot be decoded.
    frameworkErrors: sendError,
    clientErrorHandler: answerUnreadable,
  })
  // A kanban that was killed under a fault may have left it in the tables.
  await restoreHistory(sound)
  const database = faults === undefined ? sound : new FaultyDatabase(sound, faults)
  const metrics = new KanbanMetrics()
  const kanban: Kanban = {
    accounts: new Accounts(database),
    boards: new Boards(database),
    tasks: faults === undefined ? new Tasks(database) : new FaultyTasks(database, faults),
    comments: new Comments(database),
    live: new LiveHub(),
    cache: cachesOf(metrics, faults),
    metrics,
  }
  await seed(kanban.accounts, kanban.boards, kanban.tasks)
  await app.register(cookie)
  app.addContentTypeParser('text/markdown', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  registerErrors(app)
  registerGuard(app, kanban.accounts)
  registerCompression(app, faults === undefined ? undefined : () => faults.strikes('no-compression'))
  if (faults !== undefined) {
    await registerFaultyRequests(app, faults, sound)
    registerFaults(app, faults)
  }
  app.get('/healthz', () => ({ status: 'ok' }))
  registerPeople(app, kanban)
  registerBoards(app, kanban)
  registerTasks(app, kanban)
  await registerPage(app)
  app.addHook('preClose', async () => kanban.live.close())
  return app
}
