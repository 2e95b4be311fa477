import type { MeasureOptions } from '@andon/bench'
import { measureApplication } from './measure.ts'
import { startBoards } from './postgres.ts'

export const measure = (options: MeasureOptions): Promise<string> =>
  measureApplication({ title: 'Fastify: JSON and two statements a request, bound by PostgreSQL', framework: 'fastify', others: 'PostgreSQL', startDatabase: startBoards, goals: { addedUs: 18, ofOpenTelemetry: 1 / 5, residentMb: 10, profilingResidentMb: 25 } }, options)
