import { Reader, Writer } from '../protobuf.ts'

export type OtlpSignal = 'spans' | 'metrics' | 'logs'

const REJECTED = { spans: 'rejectedSpans', metrics: 'rejectedDataPoints', logs: 'rejectedLogRecords' } as const

/** What a receiver did not take of a request that it answered with success. */
export interface PartialSuccess {
  /** Spans, data points or log records that were not taken. */
  readonly rejected: number
  /** Why; '' when all was taken. */
  readonly message: string
}

/**
 * The answer to an export request in protobuf; the same bytes for all signals.
 *
 * message ExportResponse { PartialSuccess partial_success = 1 { int64 rejected = 1; string error_message = 2 } }
 */
export function encodeExportResponse({ rejected, message }: PartialSuccess): Uint8Array {
  const writer = new Writer(64)
  if (rejected > 0 || message !== '') {
    writer.message(1, () => {
      writer.uint(1, rejected)
      writer.string(2, message)
    })
  }
  return writer.bytes()
}

/** The answer to an export request in JSON. */
export function exportResponseJson({ rejected, message }: PartialSuccess, signal: OtlpSignal): string {
  return JSON.stringify(rejected > 0 || message !== '' ? { partialSuccess: { [REJECTED[signal]]: String(rejected), errorMessage: message } } : {})
}

/** What the answer to an export request says. @throws AndonError bad_body where it is not protobuf */
export function decodeExportResponse(bytes: Uint8Array): PartialSuccess {
  const reader = new Reader(bytes, 'export response')
  const result = { rejected: 0, message: '' }
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 10) {
      reader.skip(tag)
      continue
    }
    reader.message((inner) => {
      if (inner === 8) result.rejected = Number(reader.int64())
      else if (inner === 18) result.message = reader.string()
      else reader.skip(inner)
    })
  }
  return result
}

/** google.rpc.Status { int32 code = 1; string message = 2 } in protobuf: the body of a refused request. */
export function encodeStatus(code: number, message: string): Uint8Array {
  const writer = new Writer(64)
  writer.uint(1, code)
  writer.string(2, message)
  return writer.bytes()
}

/**
 * google.rpc.Status with RetryInfo among its details: what gRPC carries beside a refused call.
 *
 * @param retrySeconds - when to send again; undefined for not at all
 */
export function encodeRpcStatus(code: number, message: string, retrySeconds: number | undefined): Uint8Array {
  const writer = new Writer(64)
  writer.uint(1, code)
  writer.string(2, message)
  if (retrySeconds !== undefined) {
    const info = new Writer(8)
    info.message(1, () => info.uint(1, retrySeconds))
    writer.message(3, () => {
      writer.string(1, 'type.googleapis.com/google.rpc.RetryInfo')
      writer.raw(2, info.bytes())
    })
  }
  return writer.bytes()
}
