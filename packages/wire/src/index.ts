export { type DecodedLogs, decodeExceptions, decodeExceptionsJson, encodeEvents, encodeExceptions, encodeExceptionsJson, type LogEvent } from './otlp/exceptions.ts'
export { decodeAttributes, decodeResource } from './otlp/attributes.ts'
export { decodeMetric, decodeMetrics, encodeMetrics } from './otlp/metrics.ts'
export { noParts, type PartCounts } from './protobuf.ts'
export { decodeMetricsJson, encodeMetricsJson } from './otlp/metrics-json.ts'
export { decodeExportResponse, encodeExportResponse, encodeRpcStatus, encodeStatus, exportResponseJson, type OtlpSignal, type PartialSuccess } from './otlp/response.ts'
export { encodeAttributes, encodeSpanRequest, type Redaction, type SpanSource, SpanWriter, toAttributeValue, type TraceIdentity } from './otlp/span-writer.ts'
export { Cursor } from './otlp/cursor.ts'
export { type Place, SpanView, viewSpans } from './otlp/span-view.ts'
export { decodeSpans, decodeSpansJson, encodeSpans, encodeSpansJson, encodeTraceById } from './otlp/spans.ts'
export { decodePprof, encodePprof } from './pprof.ts'
export type { NativeHistogram } from './prometheus/native-histogram.ts'
export { decodeWriteRequest, decodeWriteRequest2, type WriteRequest, type WrittenMetadata, type WrittenSeries } from './prometheus/remote-write.ts'
export { type NamedType, prometheusLabelName, prometheusName } from './prometheus-names.ts'
export {
  encodePrometheusText,
  type ExpositionFamily,
  type ExpositionFormat,
  type ExpositionSample,
  type ExpositionType,
  parsePrometheusText,
} from './prometheus-text.ts'
export { unpackSnappy } from './snappy.ts'
export { decodeZipkin, encodeZipkin, type ZipkinSpan } from './zipkin.ts'
