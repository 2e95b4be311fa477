// Programs of a measurement: each pinned to a core, asked over its channel, and ended for certain.
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** The application has a core of its own; everything else has the other. */
export const APPLICATION_CORE = '0'
export const OTHER_CORE = '1'

const START_MS = 60_000
const ANSWER_MS = 120_000
const STOP_MS = 10_000

/** Pins all threads of a process, and with them what it starts later; only Linux can. */
export function pin(pid: number | undefined, core: string): void {
  if (process.platform === 'linux' && pid !== undefined) spawnSync('taskset', ['-a', '-c', '-p', core, String(pid)])
}

/** The next message of a program. @throws Error when it ends before, or does not answer in time */
async function message<T>(child: ChildProcess, withinMs: number, what: string): Promise<T> {
  return await new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      child.off('exit', ended)
      child.off('message', answered)
      finish()
    }
    const ended = (code: number | null): void => settle(() => reject(new Error(`${what}: the program ended with ${String(code)}`)))
    const answered = (answer: T): void => settle(() => resolve(answer))
    const timer = setTimeout(() => settle(() => reject(new Error(`${what}: no answer within ${withinMs / 1000} s`))), withinMs)
    child.on('exit', ended)
    child.on('message', answered)
  })
}

export interface Program {
  readonly child: ChildProcess
  readonly port: number
}

/** Starts a program beside this file that tells its port. @param args - arguments of Node */
export async function startProgram(file: string, core: string, env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Promise<Program> {
  const child = fork(new URL(file, import.meta.url), [], { env: { ...process.env, ...env }, execArgv: [...args], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { port } = await message<{ readonly port: number }>(child, START_MS, file)
  pin(child.pid, core)
  return { child, port }
}

export async function ask<T>({ child }: Program, question: string): Promise<T> {
  const answer = message<T>(child, ANSWER_MS, question)
  child.send(question)
  return await answer
}

/** By SIGTERM, and by SIGKILL where that does not end it. */
export async function stopProgram({ child }: Program): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
  clearTimeout(timer)
}
