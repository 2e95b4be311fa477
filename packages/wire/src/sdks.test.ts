// Bytes as OpenTelemetry's SDKs of other languages write them: each has its own way with what protobuf leaves free.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeExceptions, decodeMetrics, decodeMetricsJson, decodeSpans, decodeSpansJson } from './index.ts'
import { Writer } from './protobuf.ts'

const TRACE = Uint8Array.from({ length: 16 }, (_, index) => index + 1)
const SPAN = Uint8Array.from({ length: 8 }, (_, index) => index + 0xa0)

function textAttribute(writer: Writer, field: number, key: string, value: string): void {
  writer.message(field, () => {
    writer.string(1, key)
    writer.message(2, () => writer.text(1, value))
  })
}

function request(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer()
  writer.message(1, () => write(writer))
  return writer.bytes().slice()
}

/** A message whose length takes four bytes of a varint, as one that is filled in afterwards. */
const padded = (field: number, content: readonly number[]): number[] => {
  const { length } = content
  return [(field << 3) | 2, (length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, ((length >> 14) & 0x7f) | 0x80, (length >> 21) & 0x7f, ...content]
}

const text = (field: number, value: string): number[] => [(field << 3) | 2, value.length, ...Buffer.from(value)]

const histogram = (isPacked: boolean): Uint8Array =>
  request((writer) => {
    writer.message(2, () => {
      writer.message(2, () => {
        writer.string(1, 'wait')
        writer.message(9, () => {
          writer.message(1, () => {
            writer.fixed64(3, 2n)
            writer.fixed64(4, 6n)
            if (isPacked) {
              writer.packedFixed64(6, [1, 2, 3])
              writer.packedDouble(7, [0.5, 1.5])
            } else {
              for (const count of [1n, 2n, 3n]) writer.fixed64(6, count)
              for (const bound of [0.5, 1.5]) writer.double(7, bound)
            }
          })
          writer.uint(2, 1)
        })
      })
    })
  })

const log = (writer: Writer, write: () => void): void =>
  writer.message(2, () => {
    writer.fixed64(11, 9n)
    writer.uint(2, 17)
    writer.string(3, 'ERROR')
    writer.message(5, () => writer.text(1, 'it broke'))
    writer.fixed32(8, 1)
    write()
  })

test('Go: schema addresses of resource and scope, flags that say of the parent, no scope at all', () => {
  const bytes = request((writer) => {
    writer.message(1, () => textAttribute(writer, 1, 'service.name', 'checkout'))
    writer.message(2, () => {
      writer.message(2, () => {
        writer.raw(1, TRACE)
        writer.raw(2, SPAN)
        writer.raw(4, new Uint8Array(0))
        writer.string(5, 'GET /')
        writer.uint(6, 2)
        writer.fixed64(7, 1_700_000_000_000_000_001n)
        writer.fixed64(8, 1_700_000_000_000_000_002n)
        writer.message(15, () => undefined)
        writer.fixed32(16, 0x301)
      })
      writer.string(3, 'https://opentelemetry.io/schemas/1.26.0')
    })
    writer.string(3, 'https://opentelemetry.io/schemas/1.37.0')
  })
  const [span] = decodeSpans(bytes)
  assert.deepEqual(
    [span?.traceId, span?.spanId, span?.parentSpanId, span?.kind, span?.status, span?.flags, span?.scope.schemaUrl, span?.resource.schemaUrl],
    ['0102030405060708090a0b0c0d0e0f10', 'a0a1a2a3a4a5a6a7', '', 'server', { code: 'unset', message: '' }, 0x301, 'https://opentelemetry.io/schemas/1.26.0', 'https://opentelemetry.io/schemas/1.37.0'],
  )
})

test('.NET: lengths of four bytes, whatever they say; the resource after its spans', () => {
  const attribute = padded(1, [...text(1, 'service.name'), ...padded(2, text(1, 'shop'))])
  const span = padded(2, [(1 << 3) | 2, 16, ...TRACE, (2 << 3) | 2, 8, ...SPAN, ...text(5, 'job')])
  const [decoded] = decodeSpans(Uint8Array.from(padded(1, [...padded(2, [...span, ...padded(1, text(1, 'My.Source'))]), ...padded(1, attribute)])))
  assert.deepEqual([decoded?.name, decoded?.resource.attributes['service.name'], decoded?.scope.name], ['job', 'shop', 'My.Source'])
})

test('Java: exponential histograms of a scale of their own, without the negative side, with flags and exemplars', () => {
  const bytes = request((writer) => {
    writer.message(2, () => {
      writer.message(2, () => {
        writer.string(1, 'http.server.request.duration')
        writer.string(3, 's')
        writer.message(10, () => {
          writer.message(1, () => {
            textAttribute(writer, 1, 'http.route', '/a')
            writer.fixed64(2, 1n)
            writer.fixed64(3, 2n)
            writer.fixed64(4, 3n)
            writer.double(5, 0.5)
            writer.sint32(6, 20)
            writer.fixed64(7, 0n)
            writer.message(8, () => {
              writer.sint32(1, -1_048_576)
              writer.packedUint(2, [1, 0, 2])
            })
            writer.message(9, () => undefined)
            writer.message(11, () => {
              writer.fixed64(2, 2n)
              writer.double(3, 0.25)
              writer.raw(4, SPAN)
              writer.raw(5, TRACE)
            })
            writer.double(12, 0.1)
            writer.double(13, 0.4)
          })
          writer.uint(2, 2)
        })
      })
    })
  })
  const [metric] = decodeMetrics(bytes)
  assert.ok(metric?.data.type === 'exponentialHistogram')
  const [point] = metric.data.points
  assert.deepEqual(
    [metric.data.temporality, point?.scale, point?.positive, point?.negative, point?.min, point?.max, point?.exemplars[0]?.traceId],
    ['cumulative', 20, { offset: -1_048_576, counts: [1, 0, 2] }, { offset: 0, counts: [] }, 0.1, 0.4, '0102030405060708090a0b0c0d0e0f10'],
  )
})

test('repeated numbers one by one, as older writers have them, are the same as packed', () => {
  const [packed, single] = [decodeMetrics(histogram(true)), decodeMetrics(histogram(false))]
  assert.ok(packed[0]?.data.type === 'histogram')
  assert.deepEqual([packed[0].data.points[0]?.counts, packed[0].data.points[0]?.bounds], [[1, 2, 3], [0.5, 1.5]])
  assert.deepEqual(single[0]?.data, packed[0].data)
})

test('Python: whole numbers as sums, attributes that are lists, bytes or nothing; a point that was not recorded', () => {
  const bytes = request((writer) => {
    writer.message(2, () => {
      writer.message(2, () => {
        writer.string(1, 'requests')
        writer.message(7, () => {
          writer.message(1, () => {
            writer.fixed64(3, 2n)
            writer.fixed64(6, -5n)
            writer.message(7, () => {
              writer.string(1, 'list')
              writer.message(2, () => writer.message(5, () => (writer.message(1, () => writer.text(1, 'a')), writer.message(1, () => writer.int64(3, 7n)))))
            })
            writer.message(7, () => (writer.string(1, 'bytes'), writer.message(2, () => writer.raw(7, Uint8Array.of(0, 255)))))
            writer.message(7, () => writer.string(1, 'nothing'))
          })
          writer.message(1, () => (writer.fixed64(3, 2n), writer.uint(8, 1)))
          writer.uint(2, 2)
          writer.bool(3, true)
        })
      })
    })
  })
  const [metric] = decodeMetrics(bytes)
  assert.ok(metric?.data.type === 'sum' && metric.data.monotonic)
  const [first, second] = metric.data.points
  assert.deepEqual([first?.value, { ...first?.attributes }, second?.flags], [-5, { list: ['a', 7n], bytes: Uint8Array.of(0, 255), nothing: null }, 1])
})

test('what newer versions add is passed over: entities of resources, metadata of metrics, fields of spans and requests', () => {
  const spans = request((writer) => {
    writer.message(1, () => {
      textAttribute(writer, 1, 'service.name', 'shop')
      writer.message(3, () => (writer.string(1, 'schema'), writer.string(2, 'service'), writer.string(3, 'service.name')))
    })
    writer.message(2, () => {
      writer.message(2, () => {
        writer.raw(1, TRACE)
        writer.raw(2, SPAN)
        writer.fixed64(300, 1n)
        writer.fixed32(301, 1)
        writer.int64(302, -1n)
        writer.text(303, 'later')
      })
      writer.message(99, () => writer.text(1, 'later'))
    })
    // Once the spans of instrumentation libraries, before they were called scopes.
    writer.message(1000, () => writer.text(1, 'earlier'))
  })
  assert.deepEqual(decodeSpans(spans).map(({ resource }) => ({ ...resource.attributes })), [{ 'service.name': 'shop' }])
  const metrics = request((writer) => {
    writer.message(2, () => {
      writer.message(2, () => {
        writer.string(1, 'm')
        writer.message(5, () => writer.message(1, () => (writer.fixed64(3, 2n), writer.double(4, 1), writer.text(50, 'later'))))
        textAttribute(writer, 12, 'prometheus.type', 'gauge')
      })
    })
  })
  assert.equal(decodeMetrics(metrics)[0]?.data.points.length, 1)
})

test('log records with severity, body and flags: an exception by its attributes, an event by its name or by the older attribute', () => {
  const { exceptions, events, refused } = decodeExceptions(
    request((writer) => {
      writer.message(2, () => {
        log(writer, () => {
          textAttribute(writer, 6, 'exception.type', 'ValueError')
          textAttribute(writer, 6, 'exception.stacktrace', 'Traceback …')
          writer.raw(9, TRACE)
          writer.raw(10, SPAN)
        })
        log(writer, () => writer.string(12, 'andon.inventory'))
        log(writer, () => textAttribute(writer, 6, 'event.name', 'andon.inventory'))
        log(writer, () => undefined)
      })
    }),
  )
  assert.deepEqual(exceptions.map(({ type, stack, time, traceId }) => [type, stack, time, traceId]), [['ValueError', 'Traceback …', 9n, '0102030405060708090a0b0c0d0e0f10']])
  assert.deepEqual([events.map(({ name }) => name), refused], [['andon.inventory', 'andon.inventory'], 1])
})

test('JSON: enums by name and by number, whole numbers as text and as number, upper-case ids, null and what is not known', () => {
  const [span] = decodeSpansJson(
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }], entityRefs: [{ type: 'service' }] },
          scopeSpans: [{ scope: null, spans: [{ traceId: 'A'.repeat(32), spanId: 'B'.repeat(16), parentSpanId: null, name: 'x', kind: 'SPAN_KIND_CLIENT', startTimeUnixNano: 5, endTimeUnixNano: '7', status: { code: 'STATUS_CODE_ERROR' }, attributes: [{ key: 'n', value: { intValue: 3 } }, { key: 'd', value: { doubleValue: 1 } }], later: {} }] }],
        },
      ],
      later: 1,
    }),
  )
  assert.deepEqual([span?.traceId, span?.kind, span?.start, span?.end, span?.status.code, { ...span?.attributes }], ['a'.repeat(32), 'client', 5n, 7n, 'error', { n: 3n, d: 1 }])
  const [metric] = decodeMetricsJson(JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'm', sum: { aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA', isMonotonic: true, dataPoints: [{ asInt: '5', timeUnixNano: '1' }, { asInt: 6 }, { asDouble: '7.5' }] } }] }] }] }))
  assert.ok(metric?.data.type === 'sum')
  assert.deepEqual([metric.data.temporality, metric.data.points.map(({ value }) => value)], ['delta', [5, 6, 7.5]])
})
