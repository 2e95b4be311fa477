import type { FastifyInstance } from 'fastify'
import { needs, type Role } from './accounts.ts'
import { COOKIE, type Kanban } from './kanban.ts'
import { bodies, params } from './schemas.ts'

const COOKIE_OPTIONS = { path: '/', httpOnly: true, sameSite: 'strict', maxAge: 14 * 86_400 } as const

/** Log-in, people and API tokens. */
export function registerPeople(app: FastifyInstance, { accounts }: Kanban): void {
  app.post<{ Body: { name: string; password: string } }>('/api/login', { schema: { body: bodies['login'] } }, async ({ body }, reply) => {
    const { person, token } = await accounts.logIn(body.name, body.password)
    return reply.setCookie(COOKIE, token, COOKIE_OPTIONS).send({ me: person })
  })
  app.post('/api/logout', async (request, reply) => {
    const token = request.cookies[COOKIE]
    if (token !== undefined) await accounts.logOut(token)
    return reply.clearCookie(COOKIE, { path: '/' }).code(204).send()
  })
  // Asked by a page that does not know yet whether anybody is logged in: no error, whatever the answer.
  app.get('/api/session', async (request) => {
    const token = request.cookies[COOKIE]
    return { me: (token === undefined ? undefined : await accounts.whose(token)) ?? null }
  })
  app.get('/api/me', ({ person }) => ({ me: person }))
  app.get('/api/people', async () => ({ people: await accounts.people() }))
  app.post<{ Body: { name: string; password: string; role: Role } }>('/api/people', { schema: { body: bodies['person'] } }, async ({ person, body }, reply) => {
    needs(person, 'admin')
    return reply.code(201).send({ person: await accounts.create(body.name, body.password, body.role) })
  })
  app.get('/api/tokens', async ({ person }) => ({ tokens: await accounts.tokens(person) }))
  app.post<{ Body: { name: string } }>('/api/tokens', { schema: { body: bodies['token'] } }, async ({ person, body }, reply) => reply.code(201).send({ token: await accounts.createToken(person, body.name) }))
  app.delete<{ Params: { id: string } }>('/api/tokens/:id', { schema: { params } }, async ({ person, params: { id } }, reply) => {
    await accounts.deleteToken(person, id)
    return reply.code(204).send()
  })
}
