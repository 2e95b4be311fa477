// The application of one subject, alive, with a collector of its own.
import type { Subject } from '../subjects/subjects.ts'
import { APPLICATION_CORE, OTHER_CORE, type Program, startProgram, stopProgram } from './child.ts'

export interface Alive {
  readonly application: Program
  readonly collector: Program
}

/** @param framework - fastify or express */
export async function startAlive(subject: Subject, framework: string, databaseUrl: string): Promise<Alive> {
  const collector = await startProgram('collector.js', OTHER_CORE)
  const env = { FRAMEWORK: framework, PGURL: databaseUrl, SUBJECT: subject.name, ...subject.env(`http://127.0.0.1:${collector.port}`) }
  try {
    return { collector, application: await startProgram('server.js', APPLICATION_CORE, env, subject.args.commonjs) }
  } catch (error) {
    await stopProgram(collector)
    throw error
  }
}

export async function stopAlive({ application, collector }: Alive): Promise<void> {
  await stopProgram(application)
  await stopProgram(collector)
}
