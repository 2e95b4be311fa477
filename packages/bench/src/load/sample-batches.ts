// Requests with samples of a fleet, the same samples in two forms: OTLP as a collector sends it, and Prometheus' remote write.
import type { MetricRecord, Resource } from '@andon/model'
import { encodeMetrics } from '@andon/wire'
import { labelsOf, MEASURED, type Measured, type Process, processesOf, Values } from './sample-series.ts'
import { halvesOf, type Template, walk, Words } from './template.ts'
import { type Encoded, encodeWrite, stampMilliseconds } from './remote-write.ts'

/** As many as Prometheus' remote write gathers at most in one request, about 2,000 samples. */
const PROCESSES_PER_REQUEST = 20

/** When the turns are: `fromMs`, `fromMs + stepMs`, … */
export interface Turns {
  readonly fromMs: number
  readonly stepMs: number
}

function resourceOf({ service, instance, version, environment }: Process): Resource {
  return {
    attributes: {
      'service.name': service,
      'service.version': version,
      'service.instance.id': instance,
      'deployment.environment.name': environment,
      'host.name': instance.split(':')[0] ?? '',
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '20.19.5',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '2.12.1',
    },
    droppedAttributes: 0,
    schemaUrl: '',
  }
}

function recordsOf(processes: readonly Process[], { fromMs }: Turns): MetricRecord[] {
  const scope = { name: '@opentelemetry/host-metrics', version: '0.38.0', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
  // The SDK says since when a process counts.
  const started = BigInt(fromMs - 3_600_000) * 1_000_000n
  return processes.flatMap((process) => {
    const resource = resourceOf(process)
    return MEASURED.map(({ name, unit, type, points }): MetricRecord => {
      const list = points.map((attributes) => ({ attributes, start: type === 'gauge' ? 0n : started, time: BigInt(fromMs) * 1_000_000n, flags: 0, exemplars: [], value: 1 }))
      const data = type === 'gauge' ? ({ type: 'gauge', points: list } as const) : ({ type: 'sum', monotonic: type === 'counter', temporality: 'cumulative', points: list } as const)
      return { name, description: `The ${name.replaceAll('.', ' ')} of this process.`, unit, data, resource, scope }
    })
  })
}

const isWhole = ({ course }: Measured): boolean => course !== 'seconds' && course !== 'broken'

/** Every metric of these processes, once for each point. */
function metricsOf(processes: readonly Process[]): Measured[] {
  return processes.flatMap(() => MEASURED.flatMap((metric) => metric.points.map(() => metric)))
}

const DOUBLE = (4 << 3) | 1
const INTEGER = (6 << 3) | 1

function otlpTemplate(processes: readonly Process[], values: Values, turns: Turns): Template {
  const bytes = Buffer.from(encodeMetrics(recordsOf(processes, turns)))
  const metrics = metricsOf(processes)
  const times: number[] = []
  const places: number[] = []
  const points = { 1: { 3: (at: number) => void times.push(at), 4: (at: number) => void places.push(at) } }
  walk(bytes, { 1: { 2: { 2: { 5: points, 7: points } } } })
  // Whole numbers are sent as such by the SDK: a field of the same length.
  const whole = Uint8Array.from(metrics, (metric) => (isWhole(metric) ? 1 : 0))
  for (const [index, at] of places.entries()) {
    if (bytes[at - 1] !== DOUBLE) throw new Error('a value is not where it is expected')
    if (whole[index] === 1) bytes[at - 1] = INTEGER
  }
  const clock = new Words(bytes, times)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    bytes,
    items: places.length,
    stamp: (turn) => {
      clock.add(halvesOf(BigInt(turn * turns.stepMs) * 1_000_000n))
      for (let index = 0; index < places.length; index += 1) {
        const at = places[index] ?? 0
        const value = values.at(index, turn)
        if (whole[index] === 1) {
          view.setUint32(at, value >>> 0, true)
          view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
        } else view.setFloat64(at, value, true)
      }
    },
  }
}

function writeTemplate(processes: readonly Process[], values: Values, turns: Turns): Template {
  const labels = processes.flatMap((process) => MEASURED.flatMap((metric) => metric.points.map((attributes) => labelsOf(process, metric, attributes))))
  const encoded: Encoded = encodeWrite(labels)
  return {
    bytes: encoded.bytes,
    items: labels.length,
    stamp: (turn) => {
      for (let index = 0; index < labels.length; index += 1) {
        encoded.view.setFloat64(encoded.values[index] ?? 0, values.at(index, turn), true)
        stampMilliseconds(encoded.bytes, encoded.times[index] ?? 0, turns.fromMs + turn * turns.stepMs)
      }
    },
  }
}

/**
 * Requests of about 2,000 samples each, which together hold each series of the fleet once.
 *
 * @param form - both forms hold the same samples
 */
export function sampleTemplates(form: 'otlp' | 'write', processes: number, turns: Turns): Template[] {
  const all = processesOf(processes)
  const groups = Array.from({ length: Math.ceil(all.length / PROCESSES_PER_REQUEST) }, (_, index) => all.slice(index * PROCESSES_PER_REQUEST, (index + 1) * PROCESSES_PER_REQUEST))
  return groups.map((group, index) => {
    const values = new Values(metricsOf(group).map(({ course }) => course), index + 1)
    return form === 'otlp' ? otlpTemplate(group, values, turns) : writeTemplate(group, values, turns)
  })
}
