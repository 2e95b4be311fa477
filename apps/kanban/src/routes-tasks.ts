import type { FastifyInstance } from 'fastify'
import { needs } from './accounts.ts'
import { forget, type Kanban } from './kanban.ts'
import { bodies, params } from './schemas.ts'
import type { CardChanges, NewCard } from './tasks.ts'

interface Id {
  readonly Params: { id: string }
}

/** Runs an operation and counts whether it succeeded. */
async function counted<T>({ metrics }: Kanban, operation: string, run: () => Promise<T>): Promise<T> {
  try {
    const result = await run()
    metrics.recordOperation(operation, true)
    return result
  } catch (error) {
    metrics.recordOperation(operation, false)
    throw error
  }
}

/** Cards and their comments. */
export function registerTasks(app: FastifyInstance, kanban: Kanban): void {
  const { cache, comments, live, metrics, tasks } = kanban
  const changed = (board: string, id: string, by: string): void => {
    forget(cache, board)
    live.tell(board, { kind: 'card', id, by })
  }
  app.post<Id & { Body: NewCard }>('/api/boards/:id/tasks', { schema: { params, body: bodies['card'] } }, async ({ person, params: { id }, body }, reply) => {
    needs(person, 'member')
    const begun = performance.now()
    const card = await counted(kanban, 'create', () => tasks.create(id, body, person.name))
    metrics.recordTaskCreation(performance.now() - begun, id)
    changed(id, card.id, person.name)
    return reply.code(201).send({ card })
  })
  app.get<Id>('/api/tasks/:id', { schema: { params } }, async ({ params: { id } }) => {
    const card = await tasks.get(id)
    return await cache.task.get('task', card.boardId, `${id} ${card.version}`, async () => {
      const [said, activity] = await Promise.all([comments.of(id), comments.activity({ card: id })])
      return { card, comments: said, activity }
    })
  })
  app.patch<Id & { Body: CardChanges & { version: number } }>('/api/tasks/:id', { schema: { params, body: bodies['cardChanges'] } }, async ({ person, params: { id }, body: { version, ...changes } }) => {
    needs(person, 'member')
    const card = await counted(kanban, 'update', () => tasks.change(id, version, changes, person.name))
    changed(card.boardId, id, person.name)
    return { card }
  })
  app.post<Id & { Body: { columnId: string; before: string | null; version: number } }>('/api/tasks/:id/move', { schema: { params, body: bodies['move'] } }, async ({ person, params: { id }, body: { version, ...target } }) => {
    needs(person, 'member')
    const card = await counted(kanban, 'move', () => tasks.move(id, version, target, person.name))
    changed(card.boardId, id, person.name)
    return { card }
  })
  app.delete<Id>('/api/tasks/:id', { schema: { params } }, async ({ person, params: { id } }, reply) => {
    needs(person, 'member')
    const board = await counted(kanban, 'delete', () => tasks.delete(id, person.name))
    changed(board, id, person.name)
    return reply.code(204).send()
  })
  app.post<Id & { Body: { text: string } }>('/api/tasks/:id/comments', { schema: { params, body: bodies['comment'] } }, async ({ person, params: { id }, body }, reply) => {
    needs(person, 'member')
    const comment = await counted(kanban, 'comment', async () => comments.add(await tasks.get(id), person, body.text))
    const { boardId } = await tasks.get(id)
    forget(cache, boardId)
    live.tell(boardId, { kind: 'comment', id, by: person.name })
    return reply.code(201).send({ comment })
  })
}
