import { AndonError } from '@andon/model'
import { App } from './app.ts'
import { readOptions, type Sources } from './config.ts'
import { systemClock } from './runtime/clock.ts'
import { createLog } from './runtime/log.ts'

function tell(error: unknown): void {
  const text = error instanceof AndonError ? `${error.message}\n${error.hint}` : error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`andon: ${text}\n`)
}

/** Settles with the first signal that asks this process to end; SIGHUP calls `reload` each time. */
function untilSignal(reload: () => void): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
    process.on('SIGHUP', reload)
  })
}

/**
 * Runs a server until SIGINT or SIGTERM; SIGHUP reads tokens, names of hosts and rules anew. Says on standard output where it listens, all
 * else on standard error.
 *
 * @returns the exit code: 0 after a proper end, 1 when it could not start or stop
 */
export async function runServer(sources: Sources): Promise<number> {
  let app: App | undefined
  try {
    const options = readOptions(sources)
    const log = createLog(options.logLevel, () => systemClock.now())
    const running = new App(options, { log })
    app = running
    const readAnew = async (): Promise<void> => {
      try {
        await running.reload(readOptions(sources))
        log.info('configuration read anew')
      } catch (error) {
        log.error('configuration not taken over', { error })
      }
    }
    const asked = untilSignal(() => void readAnew())
    await running.start()
    process.stdout.write(`andon: listening on ${running.url}\n`)
    log.info('stopping', { signal: await asked })
    await running.stop()
    return 0
  } catch (error) {
    tell(error)
    await app?.stop().catch(tell)
    return 1
  }
}
