import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc from 'fast-check'
import { encodePrometheusText, type ExpositionFamily, parsePrometheusText } from './prometheus-text.ts'
import { type NamedType, prometheusLabelName, prometheusName } from './prometheus-names.ts'

test('names are translated as the OpenTelemetry specification says', () => {
  const cases: [string, string, NamedType, string][] = [
    ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
    ['kanban.task.creation.duration', 'ms', 'histogram', 'kanban_task_creation_duration_milliseconds'],
    ['errors.total', '', 'counter', 'errors_total'],
    ['kanban.operations.total', '{operation}', 'counter', 'kanban_operations_total'],
    ['system.network.io', 'By', 'counter', 'system_network_io_bytes_total'],
    ['system.cpu.utilization', '1', 'gauge', 'system_cpu_utilization_ratio'],
    ['process.disk.speed', 'By/s', 'gauge', 'process_disk_speed_bytes_per_second'],
    ['v8js.memory.heap.used', 'By', 'updown', 'v8js_memory_heap_used_bytes'],
    ['2xx..answers!', '{answer}', 'gauge', '_2xx_answers'],
    ['queue.seconds', 's', 'gauge', 'queue_seconds'],
    ['!!', '', 'gauge', '_'],
    ['x', 'constructor', 'gauge', 'x_constructor'],
    ['x', 'By/__proto__', 'gauge', 'x_bytes_per_proto'],
  ]
  for (const [name, unit, type, expected] of cases) assert.equal(prometheusName(name, unit, type), expected)
  assert.equal(prometheusLabelName('http.response.status_code'), 'http_response_status_code')
  assert.equal(prometheusLabelName('1st'), 'key_1st')
})

const families: ExpositionFamily[] = [
  { name: 'andon_requests_total', type: 'counter', help: 'Requests with "quotes", \\ and\nlines.', samples: [{ name: 'andon_requests_total', labels: { route: 'a"\\\nb' }, value: 3 }] },
  { name: 'andon_heap_bytes', type: 'gauge', help: 'Heap.', unit: 'bytes', samples: [{ name: 'andon_heap_bytes', labels: {}, value: -Infinity, timestamp: 1500 }] },
  {
    name: 'andon_wait_seconds',
    type: 'histogram',
    help: 'Waits.',
    samples: [
      { name: 'andon_wait_seconds_bucket', labels: { le: '+Inf' }, value: 2 },
      { name: 'andon_wait_seconds_sum', labels: {}, value: 0.5 },
      { name: 'andon_wait_seconds_count', labels: {}, value: 2 },
    ],
  },
]

test('text in both formats reads back as it was', () => {
  const withoutUnit = families.map((family) => ({ name: family.name, type: family.type, help: family.help, samples: family.samples }))
  assert.deepEqual(parsePrometheusText(encodePrometheusText(families, 'openmetrics')), families)
  assert.deepEqual(
    parsePrometheusText(encodePrometheusText(families, 'prometheus')).map((family) => ({ ...family, help: family.help.replaceAll('\\"', '"') })),
    withoutUnit,
  )
})

test('OpenMetrics names the family of a counter without _total and ends with EOF', () => {
  const text = encodePrometheusText(families, 'openmetrics')
  assert.match(text, /^# TYPE andon_requests counter$/m)
  assert.match(text, /# UNIT andon_heap_bytes bytes\nandon_heap_bytes -Inf 1\.5\n/)
  assert.ok(text.endsWith('# EOF\n'))
})

test('a line that is none is refused by its number', () => {
  assert.throws(() => parsePrometheusText('a 1\nb{x="1"\n'), /line 2/)
  assert.throws(() => parsePrometheusText('a one\n'), /line 1: "one" is not a number/)
})

test('labels may hold braces, number signs and quotes; names may be quoted; exemplars are read', () => {
  const lines = [
    'a_bucket{le="1",path="{x} # \\"y\\" \\\\n\\n"} 5 1.5 # {trace_id="ab"} 0.5 1.25',
    '{"a.b",le="1" , } 2',
    'a{} +Inf',
    '  a 3e-1 # a comment',
    '# EOF',
  ]
  const samples = parsePrometheusText(lines.join('\n')).flatMap((family) => family.samples)
  assert.deepEqual(samples, [
    { name: 'a_bucket', labels: { le: '1', path: '{x} # "y" \\n\n' }, value: 5, timestamp: 1500, exemplar: { labels: { trace_id: 'ab' }, value: 0.5, timestamp: 1250 } },
    { name: 'a.b', labels: { le: '1' }, value: 2 },
    { name: 'a', labels: {}, value: Infinity },
    { name: 'a', labels: {}, value: 0.3 },
  ])
  for (const wrong of ['{le="1"} 1', 'a{le} 1', 'a{le="1} 1', 'a{"b"} 1', 'a 1 2 3', 'a', 'a{le="1"}', 'a{="1"} 1']) assert.throws(() => parsePrometheusText(wrong), /metrics text, line 1: /, wrong)
})

test('any text is read or refused', () => {
  const piece = fc.constantFrom('a', '{', '}', '"', '\\', ',', '=', ' ', '1', '#', '\n', '# TYPE a counter', 'le="1"', 'é')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        parsePrometheusText(pieces.join(''))
      } catch (error) {
        assert.ok(error instanceof AndonError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})
