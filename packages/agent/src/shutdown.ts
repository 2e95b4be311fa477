// What was recorded last is sent when the process ends, and the way it ends is not changed.
import { spawnSync } from 'node:child_process'
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { type Signals, signalAt } from './options/signals.ts'

/** Signals that end a process when it does not handle them. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

export interface EndOfProcess {
  /** Sends what there is; settles within its deadline. The process ends as soon as that is done, unless the host has more to do. */
  readonly flush: () => Promise<void>
  /** Takes an error that nothing caught. */
  readonly uncaught: (error: Error) => void
  /** Sends what is left without another turn of the event loop. */
  readonly atExit: () => void
  /** Another number whenever something was recorded. */
  readonly recorded: () => number
}

/**
 * Sends before the end: when nothing is left to do, on SIGTERM and SIGINT where the host has no handler of its own, and at
 * process.exit(). An uncaught error is handed over; the process ends as it would without the agent.
 *
 * @returns what takes the handlers off again
 */
export function flushAtEnd({ flush, uncaught, atExit, recorded }: EndOfProcess): () => void {
  let isAsked = false
  /** What had been recorded when all was sent last; negative before. */
  let sent = -1
  // The agent's sockets and timers do not keep a process alive; while it flushes, this does.
  const awake = async (): Promise<void> => {
    const keep = setInterval(() => undefined, 1000)
    await flush().finally(() => clearInterval(keep))
  }
  const idle = (): void => {
    // 'beforeExit' comes again after each piece of work.
    if (isAsked) return
    isAsked = true
    // A turn later: a handler of the host's may exit at once, and what is on its way then would be lost.
    setImmediate(() => void awake().finally(() => (sent = recorded())))
  }
  const ends = SIGNALS.map((signal) =>
    whenAlone(signal, (takeOff) => {
      void awake().finally(() => {
        takeOff()
        process.kill(process.pid, signal)
      })
    }),
  )
  const failed = (error: unknown): void => {
    try {
      // With a listener of the host's own the process goes on; without one it has no further turn of its event loop.
      const isLast = process.listenerCount('uncaughtException') === 0 && !process.hasUncaughtExceptionCaptureCallback()
      uncaught(error instanceof Error ? error : new Error(String(error)))
      if (!isLast) return
      atExit()
      sent = recorded()
    } catch (failure) {
      diag.error('andon: the last error could not be sent', failure)
    }
  }
  const exit = (): void => {
    // Not again after an error that nothing caught, nor after a flush, also one that failed: the server is asked once, unless the
    // host has gone on working since then.
    if (sent === recorded()) return
    try {
      atExit()
    } catch (failure) {
      diag.error('andon: the last spans could not be sent', failure)
    }
  }
  process.on('beforeExit', idle)
  process.on('exit', exit)
  process.on('uncaughtExceptionMonitor', failed)
  return () => {
    process.removeListener('beforeExit', idle)
    process.removeListener('exit', exit)
    process.removeListener('uncaughtExceptionMonitor', failed)
    for (const end of ends) end()
  }
}

/**
 * Hears a signal while the host has no handler for it. Where it has one, that decides when to end, and finds itself alone: there are
 * handlers that end the process only then, such as those of the package signal-exit. What is not sent by then is sent at the exit.
 *
 * @param heard - gets what takes the handler off, so that the signal ends the process
 * @returns what ends it
 */
function whenAlone(signal: NodeJS.Signals, heard: (takeOff: () => void) => void): () => void {
  const handle = (): void => {
    if (process.listenerCount(signal) === 1) heard(() => process.removeListener(signal, handle))
  }
  const added = (event: string | symbol, listener: unknown): void => {
    // A turn later: with its last handler Node forgets the signal, also when the next one is just being added.
    if (event === signal && listener !== handle) process.nextTick(() => process.listenerCount(signal) > 1 && process.removeListener(signal, handle))
  }
  const removed = (event: string | symbol, listener: unknown): void => {
    if (event === signal && listener !== handle && process.listenerCount(signal) === 0) process.on(signal, handle)
  }
  if (process.listenerCount(signal) === 0) process.on(signal, handle)
  process.on('newListener', added)
  process.on('removeListener', removed)
  return () => {
    process.removeListener('newListener', added)
    process.removeListener('removeListener', removed)
    process.removeListener(signal, handle)
  }
}

/** What was not sent yet. */
export interface Unsent {
  readonly path: string
  /** The header andon-batch. */
  readonly batch: string
  readonly body: Uint8Array
}

// By http: fetch takes as long to load as all the rest of the child.
const CHILD = `
const batches = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const post = ({ url, headers, batch, body }) => new Promise((resolve) => {
  const bytes = Buffer.from(body, 'base64')
  const { request } = require(url.startsWith('https:') ? 'node:https' : 'node:http')
  const sent = request(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/x-protobuf', 'content-length': bytes.length, 'andon-batch': batch } }, resolve)
  sent.on('error', resolve).end(bytes)
})
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
