// The service map: matches the two halves of a call, whatever order they come in, in bounded memory.
import { bucketIndex, type EdgeKind, type EdgeRecord, type Milliseconds, type Seconds, SPAN_SCALE, type SpanRecord } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { Limits } from '../runtime/limits.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { describeSource } from '../store/source.ts'
import { keyOf, minuteOf, parentKeyOf, peerOf, repeatOf, secondsOf, textOf, valueOf, weightOf } from '../store/span-row.ts'
import type { WriteOptions } from '../store/spans.ts'
import { NameBook } from './name-book.ts'

/** What edges are written to. */
export interface EdgeSink {
  write(edges: readonly EdgeRecord[], options?: WriteOptions): Promise<void>
}

/** What one insert adds to the map. */
export interface EdgePlan {
  readonly edges: readonly EdgeRecord[]
  /** Remembers what still waits for its other half, and forgets what has found it. To be called when `edges` are stored. */
  commit(): void
}

/** What one side saw of calls that a span stands for. */
interface Seen {
  readonly calls: number
  readonly isFailed: boolean
  readonly seconds: Seconds
  readonly bucket: number
}

interface ClientHalf extends Seen {
  readonly side: 'client'
  readonly client: string
  readonly peer: string
  readonly env: string
  readonly minute: Milliseconds
}

interface ServerHalf extends Seen {
  readonly side: 'server'
  readonly server: string
  /** Whether it has the id of the client's span, instead of naming it as parent. */
  readonly isJoined: boolean
}

type Half = ClientHalf | ServerHalf
type Waiting = Half & { readonly since: Milliseconds }

/** Addresses of one service within an hour; further ones are counted as one. */
const PEERS_MAX = 500
const OTHER = '(other)'
/** OTLP's flags: whether the parent is of another process is known, and is so. */
const REMOTE_KNOWN = 0x100
const REMOTE = 0x200
const CACHES: ReadonlySet<string> = new Set(['redis', 'valkey', 'memcached', 'dragonfly', 'hazelcast', 'aerospike', 'ignite', 'infinispan'])
/** Spans of kind client that take messages: what is done with these has spans of its own. */
const TAKES: ReadonlySet<string> = new Set(['receive', 'process', 'settle'])


function seenBy(span: SpanRecord): Seen {
  const [weight, repeat] = [weightOf(span), repeatOf(span)]
  const seconds = secondsOf(span)
  return {
    calls: weight * repeat,
    isFailed: span.status.code === 'error',
    seconds: seconds * weight,
    bucket: bucketIndex(Math.max(seconds / repeat, 1e-9), SPAN_SCALE),
  }
}

const databaseOf = (span: SpanRecord): string => textOf(span, 'db.system.name', 'db.system')
const messagingOf = (span: SpanRecord): string => textOf(span, 'messaging.system')

/** What was called from another process; undefined where nobody called, or this very process did. */
function serverHalf(span: SpanRecord): ServerHalf | undefined {
  const isLocal = (span.flags & (REMOTE_KNOWN | REMOTE)) === REMOTE_KNOWN
  // With B3 both sides of a call may have one id.
  const isJoined = valueOf(span, 'zipkin.shared') === true
  if (isLocal || (!isJoined && span.parentSpanId === '')) return undefined
  const { calls, isFailed, seconds, bucket } = seenBy(span)
  return { side: 'server', server: describeSource(span.resource).service, isJoined, calls, isFailed, seconds, bucket }
}

/**
 * Spans that are parents of a client span of the same service in the same trace: one call of which two libraries tell. What knows that it
 * speaks with a database or a queue tells more than the one below it; else the one below knows the address.
 */
function toldTwice(spans: readonly SpanRecord[]): ReadonlySet<string> {
  const left = new Set<string>()
  const clients = spans.filter(({ kind }) => kind === 'client')
  // Seldom is there any: ids alone tell, before keys are made.
  const ids = new Set(clients.map(({ spanId }) => spanId))
  const children = clients.filter(({ parentSpanId }) => parentSpanId !== '' && ids.has(parentSpanId))
  if (children.length === 0) return left
  const byKey = new Map(clients.map((span) => [keyOf(span), span]))
  for (const child of children) {
    const parentKey = parentKeyOf(child)
    const parent = byKey.get(parentKey)
    if (parent === undefined || parent === child) continue
    const isSystem = databaseOf(parent) !== '' || messagingOf(parent) !== ''
    left.add(isSystem ? keyOf(child) : parentKey)
  }
  return left
}

/** Adds calls up to one record per edge and minute. */
class EdgeSums {
  readonly #sums = new Map<string, { -readonly [K in keyof EdgeRecord]: EdgeRecord[K] } & { buckets: Map<number, number>; serverBuckets: Map<number, number> }>()

  add(edge: Pick<EdgeRecord, 'client' | 'server' | 'peer' | 'kind' | 'env' | 'minute'>, client: Seen | undefined, server: Seen | undefined): void {
    const { client: from, server: to, peer, kind, env, minute } = edge
    const key = `${from}\0${to}\0${peer}\0${kind}\0${env}\0${minute}`
    let sum = this.#sums.get(key)
    if (sum === undefined) {
      sum = { client: from, server: to, peer, kind, env, minute, calls: 0, errors: 0, unseenErrors: 0, seconds: 0, buckets: new Map(), serverCalls: 0, serverSeconds: 0, serverBuckets: new Map() }
      this.#sums.set(key, sum)
    }
    const counted = client ?? server
    if (counted === undefined) return
    sum.calls += counted.calls
    if (counted.isFailed) sum.errors += counted.calls
    else if (server?.isFailed === true) sum.unseenErrors += counted.calls
    if (client !== undefined) {
      sum.seconds += client.seconds
      sum.buckets.set(client.bucket, (sum.buckets.get(client.bucket) ?? 0) + client.calls)
    }
    if (server !== undefined) {
      sum.serverCalls += server.calls
      sum.serverSeconds += server.seconds
      sum.serverBuckets.set(server.bucket, (sum.serverBuckets.get(server.bucket) ?? 0) + server.calls)
    }
  }

  all(): EdgeRecord[] {
    return [...this.#sums.values()]
  }
}

/**
 * Finds out who calls whom. A call of a service counts under its address as soon as the client's span is there, so that nothing that was
 * acknowledged waits in memory; only which server it was does, and that is learned when both halves have come.
 */
export class EdgeMatcher {
  readonly #clock: Pick<Clock, 'now'>
  readonly #limits: Pick<Limits, 'edgeSpans' | 'edgeWaitMs'>
  readonly #waiting = new Map<string, Waiting>()
  readonly #peers: NameBook
  readonly #givenUp: ReturnType<OwnMetrics['counter']>

  constructor({ clock, limits, own }: { readonly clock: Pick<Clock, 'now'>; readonly limits: Pick<Limits, 'edgeSpans' | 'edgeWaitMs'>; readonly own: OwnMetrics }) {
    this.#clock = clock
    this.#limits = limits
    this.#peers = new NameBook(clock, PEERS_MAX)
    this.#givenUp = own.counter('andon_ingest_edges_given_up_total', 'Halves of calls whose other half did not come in time or did not fit into memory, and addresses over their limit, by reason.')
    own.gauge('andon_ingest_edges_waiting', 'Spans that wait for the other half of their call.', () => this.#waiting.size)
  }

  /**
   * What spans add to the map, together with those that came before.
   *
   * @param spans - of one insert, in any order
   */
  plan(spans: readonly SpanRecord[]): EdgePlan {
    const sums = new EdgeSums()
    const added = new Map<string, Half>()
    const found = new Set<string>()
    const left = toldTwice(spans)
    for (const span of spans) {
      if (span.kind === 'client' && left.size > 0 && left.has(keyOf(span))) continue
      const half = this.#read(span, sums)
      if (half === undefined) continue
      const key = half.side === 'client' || half.isJoined ? keyOf(span) : parentKeyOf(span)
      const other = added.get(key) ?? (found.has(key) ? undefined : this.#waiting.get(key))
      if (other === undefined) added.set(key, half)
      else if (other.side !== half.side) {
        addMatched(sums, half, other)
        if (!added.delete(key)) found.add(key)
      }
    }
    return { edges: sums.all(), commit: () => this.#commit(added, found) }
  }

  /** Counts what a span says alone, and gives the half that is to be matched, if it is one. */
  #read(span: SpanRecord, sums: EdgeSums): Half | undefined {
    switch (span.kind) {
      case 'client':
      case 'producer':
        return this.#readCaller(span, sums)
      case 'consumer':
        if (messagingOf(span) === '') return serverHalf(span)
        this.#readConsumer(span, sums)
        return undefined
      case 'server':
        return serverHalf(span)
      case 'internal':
      case 'unspecified':
        return undefined
    }
  }

  #readCaller(span: SpanRecord, sums: EdgeSums): ClientHalf | undefined {
    const kind = this.#kindOf(span)
    if (kind === undefined) return undefined
    const { service: client, env } = describeSource(span.resource)
    const seen = seenBy(span)
    const minute = minuteOf(span)
    const peer = this.#peer(client, peerOf(span))
    if (kind !== 'service') {
      sums.add({ client, server: peer, peer: '', kind, env, minute }, seen, undefined)
      return undefined
    }
    sums.add({ client, server: '', peer, kind, env, minute }, seen, undefined)
    // Written out: spreading two objects for each span takes longer than all the rest.
    return { side: 'client', client, peer, env, minute, calls: seen.calls, isFailed: seen.isFailed, seconds: seen.seconds, bucket: seen.bucket }
  }

  #readConsumer(span: SpanRecord, sums: EdgeSums): void {
    const { service, env } = describeSource(span.resource)
    // The queue, named as a producer names it.
    const queue = this.#peer(service, peerOf(span, 'producer'))
    sums.add({ client: queue, server: service, peer: '', kind: 'consumer', env, minute: minuteOf(span) }, undefined, seenBy(span))
  }

  /** What a client or producer calls; undefined where it calls nobody. */
  #kindOf(span: SpanRecord): EdgeKind | undefined {
    const database = databaseOf(span)
    if (database !== '') return CACHES.has(database) ? 'cache' : 'database'
    if (messagingOf(span) === '') return 'service'
    return span.kind === 'client' && TAKES.has(textOf(span, 'messaging.operation.type', 'messaging.operation')) ? undefined : 'queue'
  }

  #peer(service: string, peer: string): string {
    if (this.#peers.admits(service, peer)) return peer
    this.#givenUp.add(1, { reason: 'addresses' })
    return OTHER
  }

  #commit(added: ReadonlyMap<string, Half>, found: ReadonlySet<string>): void {
    const now = this.#clock.now()
    for (const key of found) this.#waiting.delete(key)
    for (const [key, half] of added) this.#waiting.set(key, { ...half, since: now })
    for (const [key, { since, side }] of this.#waiting) {
      const isFull = this.#waiting.size > this.#limits.edgeSpans
      if (!isFull && since > now - this.#limits.edgeWaitMs) break
      this.#waiting.delete(key)
      this.#givenUp.add(1, { reason: isFull ? 'memory' : `${side}_alone` })
    }
  }
}

function addMatched(sums: EdgeSums, a: Half, b: Half): void {
  const [client, server] = a.side === 'client' ? [a, b] : [b, a]
  if (client.side !== 'client' || server.side !== 'server') return
  sums.add({ client: client.client, server: server.server, peer: client.peer, kind: 'service', env: client.env, minute: client.minute }, client, server)
}
