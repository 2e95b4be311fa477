// Hands jobs to the sender, which is a process of its own.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Job, Sent } from './sender-program.ts'

export interface Sender {
  /**
   * Sends until the job is done.
   *
   * @throws Error when the sender fails, or a request was refused
   */
  send(job: Job): Promise<Sent>
  stop(): Promise<void>
}

type Answer = Sent | { readonly error: string }

function isFailure(answer: Answer): answer is { readonly error: string } {
  return 'error' in answer
}

async function answerOf(child: ChildProcess, job: Job): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the sender ended with ${String(code)}`))
    child.once('exit', ended)
    child.once('message', (message: Answer) => {
      child.off('exit', ended)
      resolve(message)
    })
    child.send(job)
  })
}

/** The caller stops it. One job at a time. */
export function startSender(): Sender {
  const child = fork(new URL('sender-program.js', import.meta.url), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return {
    send: async (job) => {
      const answer = await answerOf(child, job)
      if (isFailure(answer)) throw new Error(`the sender: ${answer.error}`)
      if (answer.refused > 0) throw new Error(`${answer.refused} of ${answer.requests} requests were refused: ${answer.refusal}`)
      return answer
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
    },
  }
}
