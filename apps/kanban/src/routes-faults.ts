import type { FastifyInstance } from 'fastify'
import { needs } from './accounts.ts'
import { type Faults, wantedOf } from './faults.ts'
import { bodies } from './schemas.ts'

/** Which faults are on, and the switches. Registered only where faults are enabled: elsewhere there is no such route. */
export function registerFaults(app: FastifyInstance, faults: Faults): void {
  const answer = (): object => ({ faults: faults.states(), until: faults.until === undefined ? null : new Date(faults.until).toISOString() })
  app.get('/api/admin/faults', ({ person }) => {
    needs(person, 'admin')
    return answer()
  })
  app.put<{ Body: { faults: Record<string, number>; seconds?: number } }>('/api/admin/faults', { schema: { body: bodies['faults'] } }, async ({ person, body }) => {
    needs(person, 'admin')
    await faults.replace(wantedOf(body.faults), body.seconds)
    return answer()
  })
  app.delete('/api/admin/faults', async ({ person }) => {
    needs(person, 'admin')
    await faults.replace(new Map())
    return answer()
  })
}
