// What was recorded last is sent when the process ends, and the way it ends is not changed.

/** Signals that end a process when it does not handle them. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const

/**
 * Sends before the end: when nothing is left to do, and on SIGTERM and SIGINT where the host has no handler of its own.
 * An uncaught error is handed over; the process ends as it would without the agent.
 *
 * @param flush - settles within its deadline
 * @returns what takes the handlers off again
 */
export function flushAtEnd(flush: () => Promise<void>, uncaught: (error: Error) => void): () => void {
  let flushed = false
  const idle = (): void => {
    // 'beforeExit' comes again after each piece of work.
    if (flushed) return
    flushed = true
    void flush()
  }
  const handlers = SIGNALS.map((signal) => {
    const handle = (): void => {
      // The host's own handler decides when to end; what it still does is sent at 'beforeExit' or by its flush.
      if (process.listenerCount(signal) > 1) {
        void flush()
        return
      }
      void flush().finally(() => {
        process.removeListener(signal, handle)
        process.kill(process.pid, signal)
      })
    }
    process.on(signal, handle)
    return [signal, handle] as const
  })
  const failed = (error: Error): void => uncaught(error)
  process.on('beforeExit', idle)
  process.on('uncaughtExceptionMonitor', failed)
  return () => {
    process.removeListener('beforeExit', idle)
    process.removeListener('uncaughtExceptionMonitor', failed)
    for (const [signal, handle] of handlers) process.removeListener(signal, handle)
  }
}
