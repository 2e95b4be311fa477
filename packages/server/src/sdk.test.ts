// OpenTelemetry's own SDK for Node as peer, over every way that it can send: what it recorded is what is answered.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { context, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api'
import { type ISerializer, JsonLogsSerializer, JsonMetricsSerializer, JsonTraceSerializer, ProtobufLogsSerializer, ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { AggregationTemporality, AggregationType, MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { decodeExportResponse } from '@andon/wire'
import { App } from './app.ts'
import { readOptions } from './config.ts'
import { silentLog } from './runtime/log.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'andon-sdk-'))
const app = new App(readOptions({ flags: { 'listen.port': '0', 'listen.grpc_port': '0', data_dir: dataDir } }), { log: silentLog })
await app.start()
after(async () => {
  await app.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

type Signal = 'traces' | 'metrics' | 'logs'

/** Sends a request as a way does; answers how many records were refused. */
type Way = (signal: Signal, protobuf: Uint8Array, text: Uint8Array) => Promise<number>

async function http(signal: Signal, body: Uint8Array, type: string): Promise<Uint8Array> {
  const response = await fetch(`${app.url}/v1/${signal}`, { method: 'POST', headers: { 'content-type': type }, body: Buffer.from(body) })
  const answer = Buffer.from(await response.arrayBuffer())
  assert.equal(response.status, 200, answer.toString())
  return answer
}

const METHODS: Readonly<Record<Signal, string>> = { traces: 'trace.v1.TraceService', metrics: 'metrics.v1.MetricsService', logs: 'logs.v1.LogsService' }
const raw = (bytes: Buffer): Buffer => bytes

const WAYS: Readonly<Record<string, Way>> = {
  protobuf: async (signal, protobuf) => decodeExportResponse(await http(signal, protobuf, 'application/x-protobuf')).rejected,
  json: async (signal, _protobuf, text) => {
    const { partialSuccess = {} } = JSON.parse(Buffer.from(await http(signal, text, 'application/json')).toString()) as { partialSuccess?: Record<string, string> }
    return Number(partialSuccess['rejectedLogRecords'] ?? 0)
  },
  grpc: async (signal, protobuf) => {
    const client = new Client(`127.0.0.1:${app.grpcPort}`, credentials.createInsecure())
    const answer = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest(`/opentelemetry.proto.collector.${METHODS[signal]}/Export`, raw, raw, Buffer.from(protobuf), (error: ServiceError | null, message?: Buffer) => {
        if (error === null) resolve(message ?? Buffer.alloc(0))
        else reject(error)
      })
    })
    client.close()
    return decodeExportResponse(answer).rejected
  },
}

async function send<T, R>(way: Way, signal: Signal, records: T, [protobuf, text]: readonly [ISerializer<T, R>, ISerializer<T, R>]): Promise<number> {
  return await way(signal, protobuf.serializeRequest(records) ?? assert.fail(), text.serializeRequest(records) ?? assert.fail())
}

const resourceOf = (service: string): ReturnType<typeof resourceFromAttributes> => resourceFromAttributes({ 'service.name': service, 'service.version': '1.2.3', 'host.name': 'h', 'process.pid': 7 })

async function json<T>(path: string): Promise<T> {
  const response = await fetch(`${app.url}${path}`)
  const body = await response.text()
  assert.equal(response.status, 200, body)
  return JSON.parse(body) as T
}

async function value(expression: string): Promise<number> {
  const { data } = await json<{ data: { result: { value: [number, string] }[] } }>(`/api/v1/query?query=${encodeURIComponent(expression)}`)
  return Number(data.result[0]?.value[1])
}

class Collected extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }

  async metrics(): Promise<ResourceMetrics> {
    return (await this.collect()).resourceMetrics
  }
}

for (const [name, way] of Object.entries(WAYS)) {
  test(`${name}: traces with attributes of every kind, events, links, errors and status`, async () => {
    const exporter = new InMemorySpanExporter()
    const provider = new BasicTracerProvider({ resource: resourceOf(`traces-${name}`), spanProcessors: [new SimpleSpanProcessor(exporter)] })
    const tracer = provider.getTracer('test', '1.0')
    const parent = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, attributes: { 'http.route': '/cart', n: 3, f: 1.5, ok: true, list: ['a', 'b'], numbers: [1, 2] } })
    const child = tracer.startSpan('SELECT', { kind: SpanKind.CLIENT, links: [{ context: { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceFlags: TraceFlags.SAMPLED }, attributes: { why: 'retry' } }] }, trace.setSpan(context.active(), parent))
    child.addEvent('cache.miss', { key: 'k' })
    child.recordException(new TypeError('boom'))
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'boom' })
    child.end()
    parent.end()
    assert.equal(await send(way, 'traces', exporter.getFinishedSpans(), [ProtobufTraceSerializer, JsonTraceSerializer]), 0)
    const { spans } = await json<{ spans: { name: string; parent: string | null; attributes: Record<string, unknown>; status: unknown }[] }>(`/api/spans/trace/${parent.spanContext().traceId}`)
    assert.deepEqual(new Map(spans.map((each) => [each.name, each.parent])), new Map([['GET /cart', null], ['SELECT', parent.spanContext().spanId]]))
    const [found] = spans.filter((each) => each.name === 'GET /cart')
    assert.deepEqual(found?.attributes, { 'http.route': '/cart', n: 3, f: 1.5, ok: true, list: ['a', 'b'], numbers: [1, 2] })
    const { groups } = await json<{ groups: { service: string; type: string; count: number }[] }>(`/api/errors?service=traces-${name}`)
    assert.deepEqual(groups.map(({ type, count }) => [type, count]), [['TypeError', 1]])
  })

  test(`${name}: counters, up-down counters, gauges, histograms of both kinds, as deltas and cumulative`, async () => {
    for (const temporality of [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE]) {
      const service = `metrics-${name}-${temporality}`
      const reader = new Collected({ aggregationTemporalitySelector: () => temporality })
      const meter = new MeterProvider({
        resource: resourceOf(service),
        readers: [reader],
        views: [{ instrumentName: 'latency', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
      }).getMeter('test')
      const [hits, open] = [meter.createCounter('hits', { unit: '{hit}' }), meter.createUpDownCounter('open.connections')]
      const [wait, latency] = [meter.createHistogram('wait', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } }), meter.createHistogram('latency', { unit: 's' })]
      meter.createObservableGauge('queue.length').addCallback((result) => result.observe(4, { queue: 'mail' }))
      for (let round = 0; round < 2; round += 1) {
        hits.add(2, { code: 200 })
        open.add(1)
        for (const seconds of [0.05, 0.5, 5]) {
          wait.record(seconds)
          latency.record(seconds)
        }
        assert.equal(await send(way, 'metrics', await reader.metrics(), [ProtobufMetricsSerializer, JsonMetricsSerializer]), 0)
      }
      const of = `{service_name="${service}"}`
      assert.deepEqual(
        [await value(`hits_total${of}`), await value(`{"queue.length", service_name="${service}"}`), await value(`histogram_count(wait_seconds${of})`), await value(`wait_seconds_bucket{le="0.1", service_name="${service}"}`), await value(`histogram_count(latency_seconds${of})`), await value(`sum by (host_name) (target_info{job="${service}"})`)],
        [4, 4, 6, 2, 6, 1],
        service,
      )
      assert.equal(await value(`open_connections${of}`), 2, `${service}: up-down counters are cumulative whatever is preferred, or a running sum`)
    }
  })

  test(`${name}: errors among the logs are kept, other records are told to be refused`, async () => {
    const exporter = new InMemoryLogRecordExporter()
    const logger = new LoggerProvider({ resource: resourceOf(`logs-${name}`), processors: [new SimpleLogRecordProcessor(exporter)] }).getLogger('test')
    logger.emit({ body: 'failed', attributes: { 'exception.type': 'RangeError', 'exception.message': 'too far', 'exception.stacktrace': 'RangeError: too far\n    at f (/app/a.js:1:1)' } })
    logger.emit({ body: 'only a line' })
    assert.equal(await send(way, 'logs', exporter.getFinishedLogRecords(), [ProtobufLogsSerializer, JsonLogsSerializer]), 1)
    const { groups } = await json<{ groups: { type: string; message: string; count: number }[] }>(`/api/errors?service=logs-${name}`)
    assert.deepEqual(groups.map(({ type, message, count }) => [type, message, count]), [['RangeError', 'too far', 1]])
  })
}
