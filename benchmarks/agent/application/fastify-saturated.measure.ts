import type { MeasureOptions } from '@andon/bench'
import { measureApplication, startStub } from './measure.ts'

export const measure = (options: MeasureOptions): Promise<string> =>
  measureApplication({ title: "Fastify: JSON and two statements a request, the application's core saturated", framework: 'fastify', others: 'a stub that answers for PostgreSQL', startDatabase: startStub, goals: { addedUs: 30, ofOpenTelemetry: 1 / 4, throughput: 0.8, residentMb: 10, profilingResidentMb: 25 } }, options)
