// The series of a fleet: what OpenTelemetry's SDK and our agent measure of a process, its runtime, its host and its requests.
import { type Attributes, type Labels, seeded } from '@andon/model'
import { prometheusLabelName, prometheusName } from '@andon/wire'

/** How a value goes on: a whole or broken counter, a whole or broken gauge, or one that never changes. */
export type Course = 'count' | 'seconds' | 'whole' | 'broken' | 'constant'

/** A metric of a process with its points. */
export interface Measured {
  readonly name: string
  readonly unit: string
  readonly type: 'counter' | 'gauge' | 'updown'
  readonly course: Course
  readonly points: readonly Attributes[]
}

const SPACES = ['new_space', 'old_space', 'code_space', 'shared_space', 'trusted_space', 'new_large_object_space', 'large_object_space', 'code_large_object_space']
const ROUTES = ['/api/boards/:id', '/api/boards', '/api/cards/:id', '/api/cards/:id/move', '/api/comments', '/api/search', '/api/people/:id', '/login']

const each = (key: string, values: readonly string[]): Attributes[] => values.map((value) => ({ [key]: value }))
const product = (first: readonly Attributes[], second: readonly Attributes[]): Attributes[] => first.flatMap((one) => second.map((other) => ({ ...one, ...other })))

const spaces = each('v8js.heap.space.name', SPACES)
const cpus = product([{ 'cpu.logical_number': 0n }, { 'cpu.logical_number': 1n }], each('cpu.mode', ['user', 'system', 'idle', 'iowait']))
const disks = product(each('system.device', ['nvme0n1', 'nvme1n1']), each('disk.io.direction', ['read', 'write']))
const networks = product(each('network.interface.name', ['eth0', 'eth1']), each('network.io.direction', ['receive', 'transmit']))
const requests = product(
  ROUTES.map((route) => ({ 'http.request.method': 'GET', 'http.route': route, 'url.scheme': 'http' })),
  [{ 'http.response.status_code': 200n }, { 'http.response.status_code': 404n }, { 'http.response.status_code': 500n, 'error.type': '500' }],
)

/** The 97 points of one process at one time. */
export const MEASURED: readonly Measured[] = [
  ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((which): Measured => ({ name: `nodejs.eventloop.delay.${which}`, unit: 's', type: 'gauge', course: 'broken', points: [{}] })),
  { name: 'nodejs.eventloop.utilization', unit: '1', type: 'gauge', course: 'broken', points: [{}] },
  { name: 'nodejs.eventloop.time', unit: 's', type: 'counter', course: 'seconds', points: each('nodejs.eventloop.state', ['active', 'idle']) },
  { name: 'v8js.memory.heap.used', unit: 'By', type: 'updown', course: 'whole', points: spaces },
  { name: 'v8js.memory.heap.limit', unit: 'By', type: 'updown', course: 'constant', points: spaces },
  { name: 'v8js.memory.heap.space.available_size', unit: 'By', type: 'updown', course: 'whole', points: spaces },
  { name: 'v8js.memory.heap.space.physical_size', unit: 'By', type: 'updown', course: 'constant', points: spaces },
  { name: 'process.cpu.time', unit: 's', type: 'counter', course: 'seconds', points: each('cpu.mode', ['user', 'system']) },
  { name: 'process.memory.usage', unit: 'By', type: 'updown', course: 'whole', points: [{}] },
  { name: 'process.open_file_descriptor.count', unit: '{file_descriptor}', type: 'updown', course: 'whole', points: [{}] },
  { name: 'system.cpu.time', unit: 's', type: 'counter', course: 'seconds', points: cpus },
  { name: 'system.network.io', unit: 'By', type: 'counter', course: 'count', points: networks },
  { name: 'system.disk.io', unit: 'By', type: 'counter', course: 'count', points: disks },
  { name: 'system.disk.operations', unit: '{operation}', type: 'counter', course: 'count', points: disks },
  { name: 'system.memory.usage', unit: 'By', type: 'updown', course: 'whole', points: each('system.memory.state', ['used', 'free', 'cached', 'buffers']) },
  { name: 'http.server.requests', unit: '{request}', type: 'counter', course: 'count', points: requests },
  { name: 'db.client.connection.count', unit: '{connection}', type: 'updown', course: 'whole', points: product(each('db.client.connection.pool.name', ['shop']), each('db.client.connection.state', ['idle', 'used'])) },
]

export interface Process {
  readonly service: string
  readonly instance: string
  readonly version: string
  readonly environment: string
}

/** Processes of services, ten of each. */
export function processesOf(count: number): Process[] {
  return Array.from({ length: count }, (_, index) => ({ service: `shop-${Math.floor(index / 10)}`, instance: `node-${index}:${1000 + index}`, version: '1.4.2', environment: 'production' }))
}

/** The labels of a point as Andon gives them, and as both are written to a Prometheus. */
export function labelsOf({ service, instance, version, environment }: Process, metric: Measured, attributes: Attributes): Labels {
  const labels: Record<string, string> = { __name__: prometheusName(metric.name, metric.unit, metric.type), job: service, instance, service_name: service, service_version: version, deployment_environment_name: environment }
  for (const [key, value] of Object.entries(attributes)) labels[prometheusLabelName(key)] = typeof value === 'string' ? value : JSON.stringify(typeof value === 'bigint' ? Number(value) : value)
  return labels
}

/** The values of many series, by turn. */
export class Values {
  readonly #courses: readonly Course[]
  readonly #base: Float64Array
  readonly #rate: Float64Array

  constructor(courses: readonly Course[], seed: number) {
    const random = seeded(seed)
    this.#courses = courses
    this.#base = Float64Array.from(courses, (course) => (course === 'broken' ? random() : Math.floor(random() * 1e8)))
    this.#rate = Float64Array.from(courses, (course) => (course === 'count' ? Math.floor(random() * 500) : random()))
  }

  at(index: number, turn: number): number {
    const base = this.#base[index] ?? 0
    const rate = this.#rate[index] ?? 0
    switch (this.#courses[index] ?? 'constant') {
      case 'count':
        return base + Math.floor(turn * rate)
      case 'seconds':
        return base / 1000 + turn * rate
      case 'whole':
        return Math.floor(base * (0.9 + 0.2 * noise(index, turn)))
      case 'broken':
        return base * (0.9 + 0.2 * noise(index, turn))
      case 'constant':
        return base
    }
  }
}

/** Within 0..1; the same for the same series and turn. */
function noise(index: number, turn: number): number {
  let mixed = Math.imul(index + 1, 0x9e37_79b1) ^ Math.imul(turn + 1, 0x85eb_ca77)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d)
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
}
