import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Benchmark } from '@andon/bench'

/** A detector, as far as this uses it. */
interface Detector {
  add(time: number, value: number, count: number): boolean
}

interface SimpleDetector {
  add(value: number): boolean
}

const COUNT = 5760
const DAYS = 3
const SLICE = 15_000

/** @param file - a compiled one, from the root of the repository */
async function load<T>(file: string): Promise<T> {
  const loaded: T = await import(pathToFileURL(join(import.meta.dirname, '../../..', file)).href)
  return loaded
}

/** A day of latencies by a seeded generator, the same for each subject. */
function latencies(): Float64Array {
  let state = 1
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return ((state >>> 0) + 1) / 2 ** 32
  }
  return Float64Array.from({ length: COUNT }, () => 0.1 * Math.exp(0.15 * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())))
}

/** The work of a detector that has learned for some days. */
async function ours(signal: string, of: (value: number) => readonly [value: number, count: number]): Promise<() => void> {
  const { signalOf } = await load<{ readonly signalOf: (name: string) => { readonly detector: () => Detector } }>('packages/server/dist/detect/signals.js')
  const detector = signalOf(signal).detector()
  const values = latencies()
  let time = Date.UTC(2026, 0, 5)
  const day = (): void => {
    for (const value of values) {
      const [given, count] = of(value)
      detector.add(time, given, count)
      time += SLICE
    }
  }
  for (let index = 0; index < DAYS; index += 1) day()
  return day
}

async function peer(name: 'StaticSigma' | 'RobustZ'): Promise<() => void> {
  const detectors = await load<Readonly<Record<'StaticSigma' | 'RobustZ', new (worse: 'up') => SimpleDetector>>>('test/dist/soak/scoring/simple-detectors.js')
  const detector = new detectors[name]('up')
  const values = latencies()
  return () => {
    for (const value of values) detector.add(value)
  }
}

export const benchmark: Benchmark = {
  title: 'a day of slices of one series through a detector that has learned for three days',
  unit: 'slices',
  perIteration: COUNT,
  subjects: {
    'values (conformal, EVT tail, e-CUSUM)': () => ours('p95', (value) => [value, 400]),
    'counts (binomial e-CUSUM)': () => ours('errors', (value) => [value > 0.14 ? 1 : 0, 30]),
    'robust z, k = 6': () => peer('RobustZ'),
    'static 3σ': () => peer('StaticSigma'),
  },
}
