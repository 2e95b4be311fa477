// What faults do to requests, as hooks; registered only where faults are enabled.
import { setTimeout as wait } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { BoardView } from './board-view.ts'
import type { Database } from './db.ts'
import { MailService } from './fault-dependency.ts'
import { growHistory } from './fault-history.ts'
import { BigFile, Blocker, Burner, churn, Leak, quadraticIndex } from './fault-work.ts'
import type { Faults } from './faults.ts'

/** Whoever switches faults off, or logs in, is not struck by them. */
const SPARED: ReadonlySet<string> = new Set(['/api/login', '/api/logout', '/api/session', '/api/admin/faults'])

function isSubject({ routeOptions: { url = '' } }: FastifyRequest): boolean {
  return url.startsWith('/api/') && !SPARED.has(url)
}

/** A timer fires between its time and a millisecond later: half of one is taken off, and the rest is rounded by chance, so that the mean is right. */
function rounded(milliseconds: number): number {
  const wanted = milliseconds - 0.5
  return Math.floor(wanted) + (Math.random() < wanted - Math.floor(wanted) ? 1 : 0)
}

/** Work on the path of each request. */
function registerWork(app: FastifyInstance, faults: Faults): void {
  const leak = new Leak()
  const file = new BigFile()
  faults.when('memory-leak', (kibibytes) => void (kibibytes === 0 && leak.clear()))
  faults.when('sync-read', (mebibytes) => file.resize(mebibytes))
  app.addHook('preHandler', async (request) => {
    if (!isSubject(request)) return
    if (faults.strikes('errors')) throw new TypeError("Cannot read properties of undefined (reading 'columnId')")
    if (faults.strength('sync-read') > 0) file.read()
    const [churned, leaked] = [faults.strength('gc-churn'), faults.strength('memory-leak')]
    if (churned > 0) churn(churned)
    if (leaked > 0) leak.add(leaked)
  })
  app.addHook('preSerialization', async (request, _reply, payload: { readonly board?: BoardView } | undefined) => {
    const thousands = faults.strength('quadratic')
    const cards = request.routeOptions.url === '/api/boards/:id' ? payload?.board?.cards : undefined
    if (thousands > 0 && cards !== undefined) quadraticIndex(cards, Math.round(thousands * 1000))
    return payload
  })
}

/** Waiting, before the answer goes out. */
async function registerWaiting(app: FastifyInstance, faults: Faults): Promise<void> {
  const mail = new MailService(() => faults.strength('slow-dependency'))
  await mail.start()
  app.addHook('onClose', async () => mail.close())
  app.addHook('onSend', async (request, reply, payload) => {
    if (!isSubject(request)) return payload
    // Each change is told by mail, in good days too: what a dependency usually takes must be known.
    if (request.method !== 'GET') await mail.send()
    const times = faults.strength('latency')
    const delay = times === 0 ? 0 : rounded((times - 1) * reply.elapsedTime)
    if (delay > 0) await wait(delay)
    return payload
  })
}

function registerConnections(app: FastifyInstance, faults: Faults): void {
  app.server.on('connection', (socket) => {
    if (faults.strikes('dropped-connections')) socket.destroy()
  })
  faults.when('dropped-connections', () => app.server.closeIdleConnections())
  // Connections that are kept would be cut once and then never again.
  app.addHook('onSend', async (_request, reply, payload) => {
    if (faults.strength('dropped-connections') > 0) void reply.header('connection', 'close')
    return payload
  })
}

/** Connects all faults of requests, and of what runs beside them. @param database - that a fault may change */
export async function registerFaultyRequests(app: FastifyInstance, faults: Faults, database: Database): Promise<void> {
  const burner = new Burner()
  const blocker = new Blocker()
  faults.when('slow-query', (thousands) => growHistory(database, thousands))
  faults.when('cpu-burn', (cores) => burner.resize(cores))
  faults.when('blocked-loop', (milliseconds) => blocker.resize(milliseconds))
  registerWork(app, faults)
  registerConnections(app, faults)
  await registerWaiting(app, faults)
  app.addHook('onClose', () => faults.close())
}
