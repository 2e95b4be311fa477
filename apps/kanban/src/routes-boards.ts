import type { FastifyInstance } from 'fastify'
import { needs } from './accounts.ts'
import { forget, type Kanban } from './kanban.ts'
import { exportBoard, importBoard, viewBoard } from './board-view.ts'
import { Refusal } from './refusal.ts'
import { bodies, params, search } from './schemas.ts'
import type { SearchFilters } from './tasks.ts'

interface Id {
  readonly Params: { id: string }
}

/** Boards, columns, rules, search, activity, import and export, live changes. */
export function registerBoards(app: FastifyInstance, kanban: Kanban): void {
  registerWhole(app, kanban)
  registerColumns(app, kanban)
  registerReading(app, kanban)
}

function registerWhole(app: FastifyInstance, kanban: Kanban): void {
  const { boards, cache, live, metrics } = kanban
  app.get('/api/boards', async () => ({ boards: await boards.list() }))
  app.post<{ Body: { name: string; description?: string } }>('/api/boards', { schema: { body: bodies['board'] } }, async ({ person, body }, reply) => {
    needs(person, 'member')
    return reply.code(201).send({ board: await boards.create(body.name, body.description ?? '') })
  })
  app.post<{ Body: string }>('/api/boards/import', { bodyLimit: 8 * 1_048_576 }, async ({ person, body }, reply) => {
    needs(person, 'member')
    if (typeof body !== 'string') throw new Refusal(415, 'not_markdown', 'A document of type text/markdown is expected.', 'Send it with Content-Type: text/markdown.')
    return reply.code(201).send({ board: await importBoard(kanban, body, person.name) })
  })
  app.get<Id>('/api/boards/:id', { schema: { params } }, async ({ params: { id } }) => {
    const begun = performance.now()
    const board = await cache.board.get('board', id, '', () => viewBoard(kanban, id))
    metrics.recordBoardLoad(performance.now() - begun, board.cards.length, id)
    return { board }
  })
  app.patch<Id & { Body: { name?: string; description?: string; archived?: boolean } }>('/api/boards/:id', { schema: { params, body: bodies['boardChanges'] } }, async ({ person, params: { id }, body }) => {
    needs(person, 'member')
    const board = await boards.change(id, body)
    forget(cache, id)
    live.tell(id, { kind: 'board', id, by: person.name })
    return { board }
  })
}

function registerColumns(app: FastifyInstance, { boards, cache, live }: Kanban): void {
  const changed = (board: string, id: string, by: string): void => {
    forget(cache, board)
    live.tell(board, { kind: 'column', id, by })
  }
  app.post<Id & { Body: { name: string; wipLimit?: number | null } }>('/api/boards/:id/columns', { schema: { params, body: bodies['column'] } }, async ({ person, params: { id }, body }, reply) => {
    needs(person, 'member')
    const column = await boards.addColumn(id, body.name, body.wipLimit ?? null)
    changed(id, column.id, person.name)
    return reply.code(201).send({ column })
  })
  app.patch<Id & { Body: { name?: string; wipLimit?: number | null; archived?: boolean; before?: string | null } }>('/api/columns/:id', { schema: { params, body: bodies['columnChanges'] } }, async ({ person, params: { id }, body }) => {
    needs(person, 'member')
    const { column, board } = await boards.changeColumn(id, body)
    changed(board, id, person.name)
    return { column }
  })
  app.put<Id & { Body: { rules: { from: string; to: string }[] } }>('/api/boards/:id/rules', { schema: { params, body: bodies['rules'] } }, async ({ person, params: { id }, body }) => {
    needs(person, 'member')
    await boards.summary(id)
    const rules = await boards.setRules(id, body.rules)
    changed(id, id, person.name)
    return { rules }
  })
}

function registerReading(app: FastifyInstance, kanban: Kanban): void {
  const { boards, cache, comments, live, tasks } = kanban
  app.get<Id & { Querystring: SearchFilters }>('/api/boards/:id/search', { schema: { params, querystring: search } }, async ({ params: { id }, query }) => {
    const key = JSON.stringify(Object.entries(query).toSorted(([a], [b]) => a.localeCompare(b)))
    return { cards: await cache.search.get(query.label === undefined ? 'search' : 'label', id, key, () => tasks.search(id, query)) }
  })
  app.get<Id>('/api/boards/:id/activity', { schema: { params } }, async ({ params: { id } }) => ({ activity: await comments.activity({ board: id }) }))
  app.get<Id>('/api/boards/:id/export', { schema: { params } }, async ({ params: { id } }, reply) => reply.type('text/markdown; charset=utf-8').send(await exportBoard(kanban, id)))
  app.get<Id>('/api/boards/:id/live', { schema: { params } }, async ({ params: { id } }, reply) => {
    await boards.summary(id)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    reply.raw.write(': welcome\n\n')
    if (!live.join(id, reply.raw)) reply.raw.end()
  })
}
