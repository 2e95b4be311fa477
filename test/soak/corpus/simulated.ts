// A simulated Andon and kanban for tests: it answers the queries of a recording with telemetry that faults change.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type Milliseconds, seeded } from '@andon/model'
import { bucketOf } from '../scoring/histogram.ts'
import type { RecordClock, Standing } from './record.ts'

/** How often the simulated agent sends. */
const EXPORT_MS: Milliseconds = 5000
const LOOKBACK_MS: Milliseconds = 300_000

interface Switch {
  readonly time: Milliseconds
  readonly faults: Readonly<Record<string, number>>
}

interface Export {
  readonly failed: number
  readonly durations: readonly number[]
}

/** Time that passes when somebody waits. */
export class SimulatedClock implements RecordClock {
  time: Milliseconds

  constructor(time: Milliseconds) {
    this.time = time
  }

  readonly now = (): Milliseconds => this.time
  readonly wait = (milliseconds: Milliseconds): Promise<void> => {
    this.time += milliseconds
    return Promise.resolve()
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Knows errors, latency and dropped-connections; every other fault changes nothing. */
export class SimulatedStand implements Standing {
  readonly #clock: SimulatedClock
  readonly #load: number
  readonly #switches: Switch[] = []
  readonly #server: Server
  readonly #sent = new Map<Milliseconds, Export>()
  andon = ''
  broken: string | undefined
  stopped = false

  private constructor(clock: SimulatedClock, load: number) {
    this.#clock = clock
    this.#load = load
    this.#server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost')
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: this.#answer(searchParams) } }))
    })
  }

  static async start(clock: SimulatedClock, load: number): Promise<SimulatedStand> {
    const stand = new SimulatedStand(clock, load)
    stand.#server.listen(0, '127.0.0.1')
    await once(stand.#server, 'listening')
    const address = stand.#server.address()
    stand.andon = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    return stand
  }

  setFaults(faults: Readonly<Record<string, number>>): Promise<void> {
    this.#switches.push({ time: this.#clock.time, faults })
    return Promise.resolve()
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** What was sent at a time: the same whenever it is asked for. */
  #export(time: Milliseconds): Export {
    const known = this.#sent.get(time) ?? this.#simulated(time)
    this.#sent.set(time, known)
    return known
  }

  #simulated(time: Milliseconds): Export {
    const faults = this.#switches.findLast((each) => each.time < time)?.faults ?? {}
    const random = seeded(Math.round(time / EXPORT_MS) % 2 ** 31)
    for (let turn = 0; turn < 5; turn += 1) random()
    const mean = this.#load * (EXPORT_MS / 1000) * (1 - (faults['dropped-connections'] ?? 0))
    const count = Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
    const durations = Array.from({ length: count }, () => 0.01 * Math.exp(0.3 * normal(random)) * (faults['latency'] ?? 1))
    const failed = durations.filter(() => random() < (faults['errors'] ?? 0)).length
    return { failed, durations }
  }

  /** As the server does it: running sums over what it read, which begins five minutes before the grid. */
  #running<T>(start: Milliseconds, end: Milliseconds, step: Milliseconds, add: (sent: Export) => void, shown: () => T): [number, T][] {
    const points: [number, T][] = []
    let next = Math.ceil((start - LOOKBACK_MS) / EXPORT_MS) * EXPORT_MS
    for (let time = start; time <= end; time += step) {
      for (; next <= time; next += EXPORT_MS) add(this.#export(next))
      points.push([time / 1000, shown()])
    }
    return points
  }

  #answer(parameters: URLSearchParams): object[] {
    const [query, start, end, step] = [parameters.get('query') ?? '', ...['start', 'end', 'step'].map((name) => Number(parameters.get(name)) * 1000)]
    if (start === undefined || end === undefined || step === undefined) return []
    if (query.startsWith('http_server_request_duration_seconds_count{')) {
      return [true, false].map((failed) => {
        let sum = 0
        const count = (sent: Export): void => void (sum += failed ? sent.failed : sent.durations.length - sent.failed)
        return { metric: { http_route: '/api/boards/:id', http_request_method: 'GET', http_response_status_code: failed ? '500' : '200', instance: 'one' }, values: this.#running(start, end, step, count, () => String(sum)) }
      })
    }
    if (query.startsWith('http_server_request_duration_seconds{')) return [{ metric: { http_route: '/api/boards/:id', http_request_method: 'GET' }, histograms: this.#histograms(start, end, step) }]
    if (query.includes('process_cpu_utilization_ratio') || query.includes('loop_delay_p99')) {
      const values = this.#running(start, end, step, () => undefined, () => '')
      return [{ metric: {}, values: values.map(([time]) => [time, String(0.05 + 0.002 * normal(seeded(Math.round(time))))]) }]
    }
    return []
  }

  #histograms(start: Milliseconds, end: Milliseconds, step: Milliseconds): [number, object][] {
    const buckets = new Map<number, number>()
    let [count, sum] = [0, 0]
    const add = ({ durations }: Export): void => {
      for (const each of durations) {
        count += 1
        sum += each
        buckets.set(bucketOf(each), (buckets.get(bucketOf(each)) ?? 0) + 1)
      }
    }
    const shown = (): object => ({ count: String(count), sum: String(sum), buckets: [...buckets].toSorted(([a], [b]) => a - b).map(([index, held]) => [0, String(2 ** ((index - 1) / 8)), String(2 ** (index / 8)), String(held)]) })
    return this.#running(start, end, step, add, shown)
  }
}
