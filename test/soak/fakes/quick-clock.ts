// Time that runs quicker than it does, the same in all processes that know its beginning.
import type { systemClock } from '@andon/server'

type Clock = typeof systemClock

/** @param epoch - when it began to run quicker, milliseconds since 1970 */
export function quickClock(epoch: number, factor: number): Clock {
  const real = (ms: number): number => Math.max(0, ms / factor)
  return {
    now: () => Math.floor(epoch + (Date.now() - epoch) * factor),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stop = (): void => {
          clearTimeout(timer)
          reject(new Error('given up'))
        }
        const timer = setTimeout(() => {
          signal?.removeEventListener('abort', stop)
          resolve()
        }, real(ms))
        signal?.addEventListener('abort', stop, { once: true })
      }),
    every: (ms, run) => {
      const timer = setInterval(run, real(ms)).unref()
      return () => clearInterval(timer)
    },
    after: (ms, run) => {
      const timer = setTimeout(run, real(ms)).unref()
      return () => clearTimeout(timer)
    },
  }
}
