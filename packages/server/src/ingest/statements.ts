// Database statements of spans: what they cost by service, route and caller, and how often one request repeats one.
import { bucketIndex, SPAN_SCALE, type SpanRecord } from '@andon/model'
import type { Clock } from '../runtime/clock.ts'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { describeSource } from '../store/source.ts'
import { keyOf, minuteOf, parentKeyOf, repeatOf, secondsOf, statementOf, textOf, valueOf, weightOf } from '../store/span-row.ts'
import { IdentifiedStatement } from '../store/statement-text.ts'
import type { WriteOptions } from '../store/spans.ts'
import type { StatementRow } from '../store/statements.ts'
import { NameBook } from './name-book.ts'

/** What statements are written to. */
export interface StatementSink {
  write(rows: readonly StatementRow[], statements: readonly IdentifiedStatement[], options?: WriteOptions): Promise<void>
}

/** What one insert adds. */
export interface StatementPlan {
  readonly rows: readonly StatementRow[]
  readonly statements: readonly IdentifiedStatement[]
  /** Remembers how often each trace ran each statement. To be called when `rows` are stored. */
  commit(): void
}

/** Different statements of one service within an hour; further ones are not told apart. */
const STATEMENTS_MAX = 2000
/** Pairs of a trace and a statement whose executions are remembered. */
const REPEATS_MAX = 50_000
/** Parents of a statement's span that are looked at. */
const DEPTH_MAX = 64

/** What stands for the statements over the limit. */
const OTHER = new IdentifiedStatement({ text: '(other)', operation: '', collections: [] }, '', 0n)

type Sum = { -readonly [K in keyof StatementRow]: StatementRow[K] } & { buckets: Map<number, number> }

/** The route, or the name of the work, within which spans ran, as far as the spans of one insert tell it. */
class Routes {
  readonly #spans = new Map<string, SpanRecord>()

  constructor(spans: readonly SpanRecord[]) {
    for (const span of spans) this.#spans.set(keyOf(span), span)
  }

  of(span: SpanRecord): string {
    let each: SpanRecord | undefined = span
    for (let depth = 0; depth < DEPTH_MAX && each !== undefined; depth += 1) {
      const route = textOf(each, 'http.route')
      if (route !== '') return route
      if (each.kind === 'server' || each.kind === 'consumer') return each.name
      each = each.parentSpanId === '' ? undefined : this.#spans.get(parentKeyOf(each))
    }
    return ''
  }
}

/** `loadBoard (boards.ts)`: a line would differ from release to release. */
function callerOf(span: SpanRecord): string {
  const name = textOf(span, 'code.function.name', 'code.function')
  const file = textOf(span, 'code.file.path', 'code.filepath').replace(/^.*[/\\]/, '')
  return file === '' || name === '' ? name || file : `${name} (${file})`
}

/** A measured number of a span; undefined where it has none. */
function measured(span: SpanRecord, key: string): number | undefined {
  const value = valueOf(span, key)
  const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

/** Counts statements. Within a trace an execution counts as often as it was repeated; everything else by weight as well. */
export class StatementCounter {
  readonly #book: NameBook
  /** Executions by trace and statement, the oldest trace first. */
  readonly #repeats = new Map<string, number>()
  readonly #refused: ReturnType<OwnMetrics['counter']>

  constructor({ clock, own }: { readonly clock: Pick<Clock, 'now'>; readonly own: OwnMetrics }) {
    this.#book = new NameBook(clock, STATEMENTS_MAX)
    this.#refused = own.counter('andon_ingest_statements_unnamed_total', 'Executions of database statements that were counted as "(other)", because their service has too many different ones.')
  }

  /** @param spans - of one insert, in any order */
  plan(spans: readonly SpanRecord[]): StatementPlan {
    const sums = new Map<string, Sum>()
    const statements = new Map<bigint, IdentifiedStatement>()
    const repeats = new Map<string, number>()
    const ofTrace: [Sum, string][] = []
    let routes: Routes | undefined
    for (const span of spans) {
      const found = statementOf(span)
      if (found === undefined) continue
      routes ??= new Routes(spans)
      const statement = this.#admitted(span, found)
      statements.set(statement.id, statement)
      const sum = sumOf(sums, span, statement, routes)
      addTo(sum, span)
      const key = `${span.traceId}${sum.service}\0${statement.idText}`
      repeats.set(key, (repeats.get(key) ?? this.#repeats.get(key) ?? 0) + repeatOf(span))
      ofTrace.push([sum, key])
    }
    for (const [sum, key] of ofTrace) sum.perTraceMax = Math.max(sum.perTraceMax, repeats.get(key) ?? 0)
    return { rows: [...sums.values()], statements: [...statements.values()], commit: () => this.#commit(repeats) }
  }

  #admitted(span: SpanRecord, statement: IdentifiedStatement): IdentifiedStatement {
    if (this.#book.admits(describeSource(span.resource).service, statement.idText)) return statement
    this.#refused.add(repeatOf(span))
    return OTHER
  }

  #commit(repeats: ReadonlyMap<string, number>): void {
    for (const [key, count] of repeats) this.#repeats.set(key, count)
    for (const key of this.#repeats.keys()) {
      if (this.#repeats.size <= REPEATS_MAX) break
      this.#repeats.delete(key)
    }
  }
}

function sumOf(sums: Map<string, Sum>, span: SpanRecord, { id: statement, idText }: IdentifiedStatement, routes: Routes): Sum {
  const { service, env, version } = describeSource(span.resource)
  const [route, caller] = [routes.of(span), callerOf(span)]
  const minute = minuteOf(span)
  const key = `${service}\0${env}\0${version}\0${idText}\0${route}\0${caller}\0${minute}`
  const known = sums.get(key)
  if (known !== undefined) return known
  const fresh: Sum = { service, env, version, statement, route, caller, minute, calls: 0, errors: 0, seconds: 0, waits: 0, waitSeconds: 0, serverCalls: 0, serverSeconds: 0, answers: 0, rows: 0, perTraceMax: 0, buckets: new Map() }
  sums.set(key, fresh)
  return fresh
}

function addTo(sum: Sum, span: SpanRecord): void {
  const [weight, repeat] = [weightOf(span), repeatOf(span)]
  const seconds = secondsOf(span)
  sum.calls += weight * repeat
  if (span.status.code === 'error') sum.errors += weight * repeat
  sum.seconds += seconds * weight
  const bucket = bucketIndex(Math.max(seconds / repeat, 1e-9), SPAN_SCALE)
  sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + weight * repeat)
  // Of spans that were folded into one only the first says these.
  const [wait, server, rows] = [measured(span, 'andon.db.pool_wait'), measured(span, 'andon.db.server_time'), measured(span, 'db.response.returned_rows')]
  if (wait !== undefined) {
    sum.waits += weight
    sum.waitSeconds += wait * weight
  }
  if (server !== undefined) {
    sum.serverCalls += weight
    sum.serverSeconds += server * weight
  }
  if (rows !== undefined) {
    sum.answers += weight
    sum.rows += rows * weight
  }
}
