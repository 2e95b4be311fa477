import type { Milliseconds, TimeRange } from '@andon/model'
import { type Evaluator, type Grid, gridOf, nothing, promDuration, promString, type Values } from './grid.ts'

// How full hosts and processes are, from OpenTelemetry's system.*, process.*, nodejs.* and v8js.* metrics.

/** One measurement of the hosts. */
export interface HostGauge {
  /** The newest value; null when nothing was measured. */
  readonly value: number | null
  /** `ratio` or `bytesPerSecond`. */
  readonly unit: 'ratio' | 'bytesPerSecond'
  readonly series: readonly (readonly [time: Milliseconds, value: number])[]
}

/** The asked-for four measurements of hosts. */
export interface HostGauges {
  readonly cpuUsage: HostGauge
  readonly memoryUsage: HostGauge
  readonly diskUsage: HostGauge
  readonly networkIO: HostGauge
}

/** What a Node.js process has left, over the times of a grid; a part is null when none of it was measured. */
export interface Saturation {
  readonly eventLoop: { readonly p50: Values; readonly p99: Values; readonly utilization: Values } | null
  readonly heap: { readonly used: Values; readonly limit: Values } | null
  /** Of one core; above 1 with several. */
  readonly cpu: Values | null
  /** Seconds of garbage collection per second. */
  readonly gc: Values | null
}

const HOST: Readonly<Record<keyof HostGauges, readonly [unit: HostGauge['unit'], expression: (window: string) => string]>> = {
  cpuUsage: ['ratio', () => 'avg(sum by (instance) (system_cpu_utilization_ratio{cpu_mode!="idle"}))'],
  memoryUsage: ['ratio', () => 'avg(sum by (instance) (system_memory_utilization_ratio))'],
  diskUsage: ['ratio', () => 'max(system_filesystem_utilization_ratio)'],
  networkIO: ['bytesPerSecond', (window) => `sum(rate(system_network_io_bytes_total[${window}]))`],
}

/** Reads how full hosts and processes are. */
export class SaturationReader {
  readonly #evaluator: Evaluator

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator
  }

  /** The hosts of all services together. */
  async host(range: TimeRange): Promise<HostGauges> {
    const grid = gridOf(range, 60)
    const gauge = async (key: keyof HostGauges): Promise<HostGauge> => {
      const [unit, expression] = HOST[key]
      const values = (await this.#one(expression(promDuration(Math.max(60_000, grid.step))), grid)) ?? nothing(grid)
      const series = grid.t.flatMap((time, index): [Milliseconds, number][] => {
        const value = values[index]
        return value === null || value === undefined ? [] : [[time, value]]
      })
      return { value: series.at(-1)?.[1] ?? null, unit, series }
    }
    const [cpuUsage, memoryUsage, diskUsage, networkIO] = await Promise.all([gauge('cpuUsage'), gauge('memoryUsage'), gauge('diskUsage'), gauge('networkIO')])
    return { cpuUsage, memoryUsage, diskUsage, networkIO }
  }

  /** The processes of one service: the worst event loop, heaps and CPU of all instances together. */
  async service(name: string, grid: Grid): Promise<Saturation> {
    const selector = `{service_name=${promString(name)}}`
    const window = promDuration(Math.max(60_000, grid.step))
    const read = (expression: string): Promise<Values | undefined> => this.#one(expression, grid)
    const [p50, p99, utilization, used, limit, cpu, gc] = await Promise.all([
      read(`max(nodejs_eventloop_delay_p50_seconds${selector})`),
      read(`max(nodejs_eventloop_delay_p99_seconds${selector})`),
      read(`max(nodejs_eventloop_utilization_ratio${selector})`),
      read(`sum(v8js_memory_heap_used_bytes${selector})`),
      read(`sum(v8js_memory_heap_limit_bytes${selector})`),
      read(`sum(process_cpu_utilization_ratio${selector}) or sum(rate(process_cpu_time_seconds_total${selector}[${window}]))`),
      read(`sum(rate(v8js_gc_duration_seconds_sum${selector}[${window}]))`),
    ])
    const none = nothing(grid)
    return {
      eventLoop: p50 === undefined && p99 === undefined && utilization === undefined ? null : { p50: p50 ?? none, p99: p99 ?? none, utilization: utilization ?? none },
      heap: used === undefined ? null : { used, limit: limit ?? none },
      cpu: cpu ?? null,
      gc: gc ?? null,
    }
  }

  /** The instances of a service that were measured at the end of the range, with their versions. */
  async instances(name: string, time: Milliseconds): Promise<readonly { readonly instance: string; readonly version: string | null; readonly lastSeen: Milliseconds }[]> {
    const found = await this.#evaluator.at(`max by (instance, service_version) (timestamp({__name__=~"process_memory_usage_bytes|http_server_request_duration_seconds_count",service_name=${promString(name)}}))`, time)
    return found.map(({ labels, value }) => ({ instance: labels['instance'] ?? '', version: labels['service_version'] ?? null, lastSeen: value * 1000 }))
  }

  async #one(expression: string, grid: Grid): Promise<Values | undefined> {
    const [series] = await this.#evaluator.over(expression, grid)
    return series?.values.map((value) => (value !== null && Number.isFinite(value) ? value : null))
  }
}
