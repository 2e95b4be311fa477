// The service map: which servers the calls to an address went to, and what each node and edge of the map shows.
import { type BucketCounts, bucketQuantile, type EdgeKind, type EdgeRecord, type Milliseconds, type Ratio, type Seconds, SPAN_SCALE, type TimeRange } from '@andon/model'
import type { EdgeQuery, NamedPeer } from '../store/edges.ts'
import type { ServiceRed } from './red.ts'

/** `external`: an address behind which no service that sends spans was found. */
export type MapEdgeKind = EdgeKind | 'external'

/** Calls of one client to one server within one step. */
export interface Edge {
  readonly client: string
  readonly server: string
  readonly kind: MapEdgeKind
  readonly env: string
  /** Start of the step. */
  readonly minute: Milliseconds
  readonly calls: number
  /** As the client saw it, and those that only the server saw. */
  readonly errors: number
  readonly seconds: Seconds
  readonly buckets: BucketCounts
  readonly serverCalls: number
  readonly serverSeconds: Seconds
  readonly serverBuckets: BucketCounts
}

/** What edges are read from. */
export interface EdgeSource {
  read(query: EdgeQuery, signal?: AbortSignal): Promise<readonly EdgeRecord[]>
  named(range: TimeRange, signal?: AbortSignal): Promise<readonly NamedPeer[]>
}

/** Where the calls to an address go that name no server: to those that were found behind it within this time before the range, too. */
export const NAMES_KEPT: Milliseconds = 86_400_000
/** The node of calls whose address is not known either. */
const UNKNOWN = 'unknown'
/** What is left by rounding alone is nothing. */
const TINY = 1e-9
const NONE: BucketCounts = new Map()

type Amounts = Pick<Edge, 'calls' | 'errors' | 'seconds' | 'buckets' | 'serverCalls' | 'serverSeconds' | 'serverBuckets'>
type Sum = { -readonly [K in keyof Edge]: Edge[K] }

/** Neither is changed; where one is empty the other may be given back. */
function withBuckets(sum: BucketCounts, buckets: BucketCounts, factor: number): BucketCounts {
  if (buckets.size === 0) return sum
  if (sum.size === 0 && factor === 1) return buckets
  const result = new Map(sum)
  for (const [index, count] of buckets) result.set(index, (result.get(index) ?? 0) + count * factor)
  return result
}

class Edges {
  readonly #sums = new Map<string, Sum>()

  add(edge: Pick<Edge, 'client' | 'server' | 'kind' | 'env' | 'minute'>, amounts: Amounts, factor = 1): void {
    const { client, server, kind, env, minute } = edge
    const key = `${client}\0${server}\0${kind}\0${env}\0${minute}`
    let sum = this.#sums.get(key)
    if (sum === undefined) this.#sums.set(key, (sum = { client, server, kind, env, minute, calls: 0, errors: 0, seconds: 0, buckets: NONE, serverCalls: 0, serverSeconds: 0, serverBuckets: NONE }))
    sum.calls += amounts.calls * factor
    sum.errors += amounts.errors * factor
    sum.seconds += amounts.seconds * factor
    sum.serverCalls += amounts.serverCalls * factor
    sum.serverSeconds += amounts.serverSeconds * factor
    sum.buckets = withBuckets(sum.buckets, amounts.buckets, factor)
    sum.serverBuckets = withBuckets(sum.serverBuckets, amounts.serverBuckets, factor)
  }

  all(): Edge[] {
    return [...this.#sums.values()]
  }
}

interface Address {
  /** Calls by server. */
  readonly servers: Map<string, number>
  readonly steps: Map<Milliseconds, { total: EdgeRecord | undefined; readonly matched: EdgeRecord[] }>
}

const addressKey = ({ client, peer, env }: Pick<EdgeRecord, 'client' | 'peer' | 'env'>): string => [client, peer, env].join('\0')

/** Calls of the total that named no server; undefined where all did. */
function restOf(total: EdgeRecord, matched: readonly EdgeRecord[]): Amounts | undefined {
  const sum = (pick: (edge: EdgeRecord) => number): number => Math.max(0, matched.reduce((left, edge) => left - pick(edge), pick(total)))
  const calls = sum((edge) => edge.calls)
  if (calls <= total.calls * TINY) return undefined
  const left = matched.reduce((buckets, edge) => withBuckets(buckets, edge.buckets, -1), total.buckets)
  const buckets = new Map([...left].filter(([, count]) => count > TINY))
  return { calls, errors: sum((edge) => edge.errors), seconds: sum((edge) => edge.seconds), buckets, serverCalls: 0, serverSeconds: 0, serverBuckets: NONE }
}

const amountsOf = (edge: EdgeRecord): Amounts => ({ ...edge, errors: edge.errors + edge.unseenErrors })

function addAddress(edges: Edges, { servers, steps }: Address): void {
  const known = [...servers.values()].reduce((sum, calls) => sum + calls, 0)
  for (const { total, matched } of steps.values()) {
    for (const edge of matched) edges.add(edge, amountsOf(edge))
    if (total === undefined) continue
    const rest = restOf(total, matched)
    if (rest === undefined) continue
    const { client, peer, env, minute } = total
    if (known > 0) for (const [server, calls] of servers) edges.add({ client, server, kind: 'service', env, minute }, rest, calls / known)
    else edges.add({ client, server: peer === '' ? UNKNOWN : peer, kind: 'external', env, minute }, rest)
  }
}

/**
 * Edges between names. Calls that name no server (its half is still under way, was not sampled, or was given up) go to the servers found
 * behind the same address, in the proportion of the calls that name one; where none was found, to the address itself.
 *
 * @param named - what is known of addresses beside what the records themselves say
 */
export function resolveEdges(records: readonly EdgeRecord[], named: readonly NamedPeer[] = []): Edge[] {
  const edges = new Edges()
  const addresses = new Map<string, Address>()
  const addressOf = (of: Pick<EdgeRecord, 'client' | 'peer' | 'env'>): Address => {
    const key = addressKey(of)
    let address = addresses.get(key)
    if (address === undefined) addresses.set(key, (address = { servers: new Map(), steps: new Map() }))
    return address
  }
  for (const peer of named) addressOf(peer).servers.set(peer.server, peer.calls)
  const isNamed = new Set(addresses.keys())
  for (const record of records) {
    if (record.kind !== 'service') {
      edges.add(record, amountsOf(record))
      continue
    }
    const { servers, steps } = addressOf(record)
    const step = steps.get(record.minute) ?? { total: undefined, matched: [] }
    steps.set(record.minute, step)
    if (record.server === '') step.total = record
    else {
      step.matched.push(record)
      if (!isNamed.has(addressKey(record))) servers.set(record.server, (servers.get(record.server) ?? 0) + record.calls)
    }
  }
  for (const address of addresses.values()) addAddress(edges, address)
  return edges.all()
}

export type MapNodeKind = 'service' | 'database' | 'cache' | 'queue' | 'external'

/** One node of the map. Of what sends no spans, as its callers saw it. */
export interface MapNode {
  readonly name: string
  readonly kind: MapNodeKind
  /** Where the figures come from; one service never shows two rates. */
  readonly source: 'metrics' | 'spans' | 'calls'
  /** Per second; null where nothing is known, as of a service that only calls. */
  readonly rate: number | null
  readonly errorRatio: Ratio | null
  readonly p50: Seconds | null
  readonly p95: Seconds | null
}

/** One edge of the map over the whole range. */
export interface MapEdge {
  readonly client: string
  readonly server: string
  readonly kind: MapEdgeKind
  readonly env: string
  readonly calls: number
  readonly rate: number
  readonly errorRatio: Ratio
  /** As the client saw it; of a consumer, its own time for a message. */
  readonly p50: Seconds | null
  readonly p95: Seconds | null
  /** As the server saw it; null where no server told. */
  readonly serverP50: Seconds | null
  readonly serverP95: Seconds | null
}

export interface ServiceMap {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

/** Rates of services, from where each service's rate comes. */
export interface ServiceRates {
  services(range: TimeRange): Promise<readonly ServiceRed[]>
}

const MINUTE: Milliseconds = 60_000

function quantileOf(buckets: BucketCounts, q: number): Seconds | null {
  const value = bucketQuantile(0, buckets, SPAN_SCALE, q)
  return Number.isNaN(value) ? null : value
}

function mapEdge(edge: Edge, seconds: Seconds): MapEdge {
  const { client, server, kind, env, calls, errors, buckets, serverBuckets } = edge
  const shown = kind === 'consumer' ? serverBuckets : buckets
  return {
    client,
    server,
    kind,
    env,
    calls,
    rate: calls / seconds,
    errorRatio: calls > 0 ? Math.min(1, errors / calls) : 0,
    p50: quantileOf(shown, 0.5),
    p95: quantileOf(shown, 0.95),
    serverP50: quantileOf(serverBuckets, 0.5),
    serverP95: quantileOf(serverBuckets, 0.95),
  }
}

/** What callers saw of a node that sends no spans. */
function calledNode(name: string, kind: MapNodeKind, edges: readonly Edge[], seconds: Seconds): MapNode {
  const [calls, errors] = [edges.reduce((sum, edge) => sum + edge.calls, 0), edges.reduce((sum, edge) => sum + edge.errors, 0)]
  const buckets = edges.reduce((sum, edge) => withBuckets(sum, edge.buckets, 1), NONE)
  return { name, kind, source: 'calls', rate: calls > 0 ? calls / seconds : null, errorRatio: calls > 0 ? Math.min(1, errors / calls) : null, p50: quantileOf(buckets, 0.5), p95: quantileOf(buckets, 0.95) }
}

/** Which node an edge's ends are, apart from services that are known as such. */
function kindsOf(kind: MapEdgeKind): { readonly client: MapNodeKind; readonly server: MapNodeKind } {
  if (kind === 'consumer') return { client: 'queue', server: 'service' }
  return { client: 'service', server: kind }
}

/** The map of all services. Holds nothing; may be called concurrently. */
export class ServiceMapReader {
  readonly #edges: EdgeSource
  readonly #rates: ServiceRates

  constructor(edges: EdgeSource, rates: ServiceRates) {
    this.#edges = edges
    this.#rates = rates
  }

  /**
   * The map of a range, from the minute in which it begins.
   *
   * @param service - only this one with what it calls and what calls it
   */
  async read(range: TimeRange, service?: string): Promise<ServiceMap> {
    const whole = { start: Math.floor(range.start / MINUTE) * MINUTE, end: range.end }
    const [records, named, services] = await Promise.all([
      this.#edges.read({ range: whole, buckets: true }),
      this.#edges.named({ start: whole.start - NAMES_KEPT, end: whole.end }),
      this.#rates.services(range),
    ])
    const known = new Map(services.map((one) => [one.service, one]))
    const edges = withServices(resolveEdges(records, named), known)
    const shown = service === undefined ? edges : edges.filter(({ client, server }) => client === service || server === service)
    const seconds = Math.max(1, (whole.end - whole.start) / 1000)
    return {
      nodes: nodesOf(shown, known, service, seconds),
      edges: shown.map((edge) => mapEdge(edge, seconds)).toSorted((a, b) => b.calls - a.calls || order(a.client, b.client) || order(a.server, b.server)),
    }
  }
}

/** An address may be the very name of a service. */
function withServices(edges: readonly Edge[], services: ReadonlyMap<string, unknown>): Edge[] {
  const merged = new Edges()
  for (const edge of edges) merged.add(edge.kind === 'external' && services.has(edge.server) ? { ...edge, kind: 'service' } : edge, edge)
  return merged.all()
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function nodesOf(edges: readonly Edge[], known: ReadonlyMap<string, ServiceRed>, service: string | undefined, seconds: Seconds): MapNode[] {
  const kinds = new Map<string, MapNodeKind>()
  const note = (name: string, kind: MapNodeKind): void => {
    if (kind === 'service' || !kinds.has(name)) kinds.set(name, kind)
  }
  for (const name of service === undefined ? known.keys() : known.has(service) ? [service] : []) note(name, 'service')
  for (const edge of edges) {
    const { client, server } = kindsOf(edge.kind)
    note(edge.client, client)
    note(edge.server, server)
  }
  const incoming = groupBy(edges, ({ server }) => server)
  const taken = groupBy(edges, ({ client }) => client)
  return [...kinds]
    .toSorted(([a], [b]) => order(a, b))
    .map(([name, kind]) => {
      const red = known.get(name)
      if (kind === 'service' && red !== undefined) return { name, kind, source: red.source, rate: red.rate, errorRatio: red.errorRatio, p50: red.p50, p95: red.p95 }
      // A queue whose producers are not known shows what is taken from it.
      return calledNode(name, kind, incoming.get(name) ?? (kind === 'queue' ? taken.get(name) : undefined) ?? [], seconds)
    })
}

function groupBy(edges: readonly Edge[], nameOf: (edge: Edge) => string): Map<string, Edge[]> {
  const groups = new Map<string, Edge[]>()
  for (const edge of edges) {
    const name = nameOf(edge)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [edge])
    else group.push(edge)
  }
  return groups
}
