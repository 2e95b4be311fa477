// Which critical operations there are, and which of them have data.
import type { InventoryKind, LabelMatcher, Labels, Milliseconds, Ratio, TimeRange } from '@andon/model'
import type { RegisteredItem } from '../store/inventory.ts'

/** A registered operation, or one that was seen to be called. */
export type OperationKind = InventoryKind | 'statement'

/** One critical operation and what there is of it in the range. */
export interface CoveredOperation {
  readonly kind: OperationKind
  /** For people; of a statement its text, cut at 300 characters. */
  readonly name: string
  /** False where the application does not register it and it is known from spans alone. */
  readonly registered: boolean
  readonly metrics: boolean
  readonly traces: boolean
  /** null: this version keeps no objectives and evaluates no rules, so it cannot say. */
  readonly objective: null
  readonly alert: null
}

export interface ServiceCoverage {
  readonly service: string
  /** Whether the service reports what it registers; without that, an operation that was never called is not known. */
  readonly reports: boolean
  readonly total: number
  /** Operations with metrics or traces. */
  readonly covered: number
  /** covered / total; null where there is no operation. */
  readonly share: Ratio | null
  readonly operations: readonly CoveredOperation[]
}

export interface InventorySource {
  services(since: Milliseconds): Promise<readonly string[]>
  items(service: string, range: TimeRange): Promise<readonly RegisteredItem[]>
}

export interface CalledSource {
  peers(service: string, range: TimeRange): Promise<readonly string[]>
  statements(service: string, range: TimeRange): Promise<readonly { readonly id: string; readonly text: string }[]>
}

export interface OperationSource {
  services(range: TimeRange): Promise<readonly string[]>
  operations(service: string, range: TimeRange): Promise<readonly { readonly name: string; readonly kind: string }[]>
}

export interface SeriesSource {
  seriesOf(matchers: readonly LabelMatcher[], range: TimeRange): Promise<readonly Labels[]>
}

export interface CoverageSources {
  readonly inventory: InventorySource
  readonly called: CalledSource
  readonly spans: OperationSource
  readonly metrics: SeriesSource
}

/** An agent reports once an hour: what it said shortly before the range holds in the range. */
const REPORT_MS: Milliseconds = 2 * 3_600_000
/** Services that one answer holds at most. */
const SERVICES_MAX = 50

/** Metrics of operations, and how their labels name one. */
const METRICS: readonly { readonly metric: string; readonly kinds: readonly OperationKind[]; readonly nameOf: (labels: Labels) => string }[] = [
  { metric: 'http_server_request_duration_seconds', kinds: ['route'], nameOf: (labels) => `${labels['http_request_method'] ?? ''} ${labels['http_route'] ?? ''}` },
  { metric: 'operation.duration', kinds: ['job', 'handler'], nameOf: (labels) => labels['operation'] ?? '' },
  { metric: 'http_client_request_duration_seconds', kinds: ['dependency'], nameOf: (labels) => `${labels['server_address'] ?? ''}:${labels['server_port'] ?? ''}` },
  { metric: 'db_client_operation_duration_seconds', kinds: ['dependency'], nameOf: (labels) => [labels['db_system_name'], labels['db_namespace']].filter(Boolean).join('/') },
]

const keyOf = (kind: OperationKind, name: string): string => `${kind}\n${name}`

/** Which critical operations have data. Holds nothing; may be called concurrently. */
export class CoverageReader {
  readonly #sources: CoverageSources

  constructor(sources: CoverageSources) {
    this.#sources = sources
  }

  /**
   * Coverage of one service, or of all that report or send spans, by name; at most 50.
   *
   * @param range - what counts as having data: at least one point or span within it
   */
  async read(range: TimeRange, service?: string): Promise<ServiceCoverage[]> {
    const names = service === undefined ? await this.#services(range) : [service]
    const answers: ServiceCoverage[] = []
    for (const name of names) answers.push(await this.#of(name, range))
    return answers
  }

  async #services(range: TimeRange): Promise<string[]> {
    const { inventory, spans } = this.#sources
    const [reporting, sending] = await Promise.all([inventory.services(range.start - REPORT_MS), spans.services(range)])
    return [...new Set([...reporting, ...sending])].toSorted().slice(0, SERVICES_MAX)
  }

  async #of(service: string, range: TimeRange): Promise<ServiceCoverage> {
    const { inventory, called, spans } = this.#sources
    const [items, measured, peers, statements, spanNames] = await Promise.all([
      inventory.items(service, { start: range.start - REPORT_MS, end: range.end }),
      this.#measured(service, range),
      called.peers(service, range),
      called.statements(service, range),
      spans.operations(service, range),
    ])
    const traced = new Set([...spanNames.flatMap(tracedBy), ...peers.map((peer) => keyOf('dependency', peer))])
    const registered = new Map(items.map(({ kind, name }) => [keyOf(kind, name), { kind, name }]))
    const found = [...registered.values(), ...peers.filter((peer) => !registered.has(keyOf('dependency', peer))).map((name) => ({ kind: 'dependency' as const, name }))]
    const operations: CoveredOperation[] = [
      ...found.map(({ kind, name }) => {
        const key = keyOf(kind, name)
        return { kind, name, registered: registered.has(key), metrics: measured.has(key), traces: traced.has(key), objective: null, alert: null }
      }),
      // Known by their spans, so they have traces; no metric names a single statement.
      ...statements.map((statement) => ({ kind: 'statement' as const, name: statement.text, registered: false, metrics: false, traces: true, objective: null, alert: null })),
    ]
    const covered = operations.filter(({ metrics, traces }) => metrics || traces).length
    return { service, reports: items.length > 0, total: operations.length, covered, share: operations.length === 0 ? null : covered / operations.length, operations }
  }

  /** Operations that have a series of their own. */
  async #measured(service: string, range: TimeRange): Promise<Set<string>> {
    const found = new Set<string>()
    for (const { metric, kinds, nameOf } of METRICS) {
      const series = await this.#sources.metrics.seriesOf([matcher('__name__', metric), matcher('service_name', service)], range)
      for (const labels of series) for (const kind of kinds) found.add(keyOf(kind, nameOf(labels)))
    }
    return found
  }
}

/** Routes are served by server spans; a job or handler may run in a span of any kind. */
function tracedBy({ name, kind }: { readonly name: string; readonly kind: string }): string[] {
  const kinds: readonly OperationKind[] = kind === 'server' ? ['route', 'job', 'handler'] : ['job', 'handler']
  return kinds.map((each) => keyOf(each, name))
}

function matcher(name: string, value: string): LabelMatcher {
  return { name, operator: '=', value }
}
