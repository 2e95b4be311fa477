import type { MeasureOptions } from '@andon/bench'
import { measureApplication, startStub } from './measure.ts'

export const measure = (options: MeasureOptions): Promise<string> =>
  measureApplication({ title: "Express: JSON and two statements a request, the application's core saturated", framework: 'express', others: 'a stub that answers for PostgreSQL', startDatabase: startStub, goals: { ofOpenTelemetry: 1 / 4, throughput: 0.78, residentMb: 10, profilingResidentMb: 25 } }, options)
