// The parts of the server that turn requests into rows, which are no package to depend on.
import type { AttributeValue, Resource, SpanRecord } from '@andon/model'

/** A growing buffer of rows of TabSeparated. */
export interface Rows {
  readonly rows: number
  bytes(): Buffer
  text(value: string): Rows
  raw(bytes: Uint8Array): Rows
  number(value: number | bigint): Rows
  milliseconds(value: number): Rows
  nanoseconds(value: bigint): Rows
  textMap(pairs: Iterable<readonly [string, string]>): Rows
  valueMap(pairs: Iterable<readonly [string, number | bigint | boolean]>): Rows
  list<T>(values: readonly T[], item: (part: { text(value: string): void; nanoseconds(value: bigint): void; textMap(pairs: Iterable<readonly [string, string]>): void }, value: T) => void): Rows
  tuple(values: readonly number[]): Rows
  end(): void
}

interface Modules {
  readonly 'store/tsv.js': { readonly TsvRows: new (capacity: number) => Rows }
  readonly 'store/spans.js': { readonly SpanStore: new (database: undefined, clock: undefined) => { prepare(spans: readonly SpanRecord[]): { readonly rows: Rows } } }
  readonly 'store/span-row.js': { readonly resourceRow: (resource: Resource) => { readonly hash: bigint } }
  readonly 'store/source.js': { readonly describeSource: (resource: Resource) => { readonly service: string; readonly env: string; readonly version: string; readonly instance: string; readonly job: string } }
  readonly 'store/cells.js': { readonly stringOf: (value: AttributeValue) => string }
  readonly 'store/statement-text.js': { readonly identified: (statement: string, system: string) => { readonly id: bigint } }
  readonly 'store/metric-write.js': { readonly sampleTsv: (rows: readonly [], tsv: Rows) => Rows }
  readonly 'ingest/metrics.js': { readonly MetricIngest: new (sink: object, context: object) => { accept(body: Uint8Array, content: 'protobuf'): Promise<unknown>; readonly placer: object } }
  readonly 'ingest/sample-reader.js': { readonly SampleReader: new (placer: object) => { read(body: Uint8Array): { readonly columns: object } } }
  readonly 'ingest/columns-rows.js': { readonly columnRows: (columns: readonly object[]) => { readonly rows: { readonly tsv: Rows } } }
  readonly 'ingest/increase.js': { readonly sampleIncrease: (ts: number, start: number, value: number, previous: { readonly ts: number; readonly start: number; readonly value: number } | null) => number }
  readonly 'runtime/limits.js': { readonly defaultLimits: object }
  readonly 'runtime/own-metrics.js': { readonly OwnMetrics: new () => object }
}

/** A module of the server as it was built. */
export async function serverModule<K extends keyof Modules>(file: K): Promise<Modules[K]> {
  const found: Modules[K] = await import(new URL(`../../../packages/server/dist/${file}`, import.meta.url).href)
  return found
}
