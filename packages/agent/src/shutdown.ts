// What was recorded last is sent when the process ends, and the way it ends is not changed.
import { spawnSync } from 'node:child_process'
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { type Signals, signalAt } from './options/signals.ts'

/** Signals that end a process when it does not handle them. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Sends before the end: when nothing is left to do, and on SIGTERM and SIGINT where the host has no handler of its own.
 * An uncaught error is handed over; the process ends as it would without the agent.
 *
 * @param flush - settles within its deadline
 * @param uncaught - takes an error that nothing caught; `isLast` when the process ends as soon as it returns
 * @returns what takes the handlers off again
 */
export function flushAtEnd(flush: () => Promise<void>, uncaught: (error: Error, isLast: boolean) => void): () => void {
  let flushed = false
  // The agent's sockets and timers do not keep a process alive; while it flushes, this does.
  const awake = async (): Promise<void> => {
    const keep = setInterval(() => undefined, 1000)
    await flush().finally(() => clearInterval(keep))
  }
  const idle = (): void => {
    // 'beforeExit' comes again after each piece of work.
    if (flushed) return
    flushed = true
    void awake()
  }
  const handlers = SIGNALS.map((signal) => {
    const handle = (): void => {
      // The host's own handler decides when to end; what it still does is sent at 'beforeExit' or by its flush.
      if (process.listenerCount(signal) > 1) {
        void awake()
        return
      }
      void awake().finally(() => {
        process.removeListener(signal, handle)
        process.kill(process.pid, signal)
      })
    }
    process.on(signal, handle)
    return [signal, handle] as const
  })
  const failed = (error: unknown): void => {
    try {
      // With a listener of the host's own the process goes on; without one it has no further turn of its event loop.
      const isLast = process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()
      uncaught(error instanceof Error ? error : new Error(String(error)), isLast)
    } catch (failure) {
      diag.error('andon: the last error could not be sent', failure)
    }
  }
  process.on('beforeExit', idle)
  process.on('uncaughtExceptionMonitor', failed)
  return () => {
    process.removeListener('beforeExit', idle)
    process.removeListener('uncaughtExceptionMonitor', failed)
    for (const [signal, handle] of handlers) process.removeListener(signal, handle)
  }
}

/** What was not sent yet. */
export interface Unsent {
  readonly path: string
  /** The header andon-batch. */
  readonly batch: string
  readonly body: Uint8Array
}

const CHILD = `
const batches = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const post = ({ url, headers, batch, body }) => fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/x-protobuf', 'andon-batch': batch }, body: Buffer.from(body, 'base64') })
Promise.allSettled(batches.map(post)).then(() => process.exit(0))
`

/** Sends from a child and waits for it, because a process that dies cannot send by itself any more. */
export function sendFromChild(unsent: readonly Unsent[], signals: Signals, withinMs: Milliseconds): void {
  const batches = unsent.flatMap(({ path, batch, body }) => {
    const { url, headers } = signalAt(signals, path)
    return url === undefined ? [] : [{ url, headers, batch, body: Buffer.from(body).toString('base64') }]
  })
  if (batches.length === 0) return
  // Without the agent: NODE_OPTIONS may load it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS'))
  spawnSync(process.execPath, ['-e', CHILD], { input: JSON.stringify(batches), env, stdio: ['pipe', 'ignore', 'ignore'], timeout: withinMs })
}
