// The cases of W3C's published test suite, over a real HTTP server: names as there.
// @see https://github.com/w3c/trace-context/blob/main/test/test.py
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { defaultTextMapSetter, ROOT_CONTEXT } from '@opentelemetry/api'
import { NO_CONTEXT, withSpan } from '../context.ts'
import { headerGetter } from '../instrument/http-attributes.ts'
import { createPropagator } from '../propagation.ts'
import { Sampler } from '../sampler.ts'
import { AgentTracerProvider } from '../tracer.ts'

type Header = readonly [string, string]

interface Outgoing {
  readonly traceparent: string
  readonly tracestate: string
}

const propagator = createPropagator(['tracecontext'])
const tracer = new AgentTracerProvider(new Sampler({ parentBased: true, ratio: 1 }), () => ({ write: () => undefined, lose: () => undefined })).getTracer('suite')

/** The service under test: answers with what it would send along with `count` calls of its own. */
const service = http.createServer((request, response) => {
  const count = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('count'))
  const context = withSpan(NO_CONTEXT, tracer.begin('in', 2, propagator.extract(ROOT_CONTEXT, request.headers, headerGetter)))
  const calls = Array.from({ length: count }, () => {
    const carrier: Record<string, string> = {}
    propagator.inject(withSpan(context, tracer.begin('out', 3, context)), carrier, defaultTextMapSetter)
    return { tracestate: '', ...carrier }
  })
  response.end(JSON.stringify(calls))
})

let port = 0

before(async () => {
  service.listen(0, '127.0.0.1')
  await once(service, 'listening')
  const address = service.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

after(() => {
  service.closeAllConnections()
  service.close()
})

async function requests(headers: readonly Header[], count: number): Promise<readonly Outgoing[]> {
  const request = http.get({ port, host: '127.0.0.1', path: `/?count=${count}`, agent: false, headers: ['host', `127.0.0.1:${port}`, ...headers.flat()] })
  const [response]: http.IncomingMessage[] = await once(request, 'response')
  assert.ok(response)
  let body = ''
  for await (const chunk of response) body += String(chunk)
  const parsed: readonly Outgoing[] = JSON.parse(body)
  return parsed
}

interface Context {
  readonly version: string
  readonly traceId: string
  readonly parentId: string
  readonly flags: string
  readonly state: ReadonlyMap<string, string>
}

function read({ traceparent, tracestate }: Outgoing): Context {
  assert.match(traceparent, /^[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/)
  const [version = '', traceId = '', parentId = '', flags = ''] = traceparent.split('-')
  const members = tracestate === '' ? [] : tracestate.split(',').map((member): readonly [string, string] => [member.slice(0, member.indexOf('=')), member.slice(member.indexOf('=') + 1)])
  return { version, traceId, parentId, flags, state: new Map(members) }
}

async function single(...headers: readonly Header[]): Promise<Context> {
  const [call] = await requests(headers, 1)
  assert.ok(call)
  return read(call)
}

const TRACE = '12345678901234567890123456789012'
const PARENT = '1234567890123456'
const VALID: Header = ['traceparent', `00-${TRACE}-${PARENT}-00`]

test('test_both_traceparent_and_tracestate_missing', async () => {
  assert.equal((await single()).state.size, 0)
})

test('test_traceparent_included_tracestate_missing', async () => {
  const { traceId, parentId, flags } = await single(['traceparent', `00-${TRACE}-${PARENT}-01`])
  assert.deepEqual([traceId, flags], [TRACE, '01'])
  assert.notEqual(parentId, PARENT)
})

test('test_traceparent_duplicated', async () => {
  const { traceId } = await single(['traceparent', '00-12345678901234567890123456789011-1234567890123456-01'], ['traceparent', `00-${TRACE}-${PARENT}-01`])
  assert.ok(traceId !== TRACE && traceId !== '12345678901234567890123456789011')
})

const KEPT: Readonly<Record<string, readonly Header[]>> = {
  test_traceparent_header_name_valid_casing: ['TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'].map((name) => [name, `00-${TRACE}-${PARENT}-01`]),
  test_traceparent_version_0xcc: ['', '-what-the-future-will-be-like'].map((rest) => ['traceparent', `cc-${TRACE}-${PARENT}-01${rest}`]),
  test_traceparent_ows_handling: [
    [' ', ''],
    ['\t', ''],
    ['', ' '],
    ['', '\t'],
    ['\t ', ' \t'],
  ].map(([ahead = '', behind = '']) => ['traceparent', `${ahead}00-${TRACE}-${PARENT}-01${behind}`]),
}

const RESTARTED: Readonly<Record<string, readonly Header[]>> = {
  test_traceparent_header_name: ['trace-parent', 'trace.parent'].map((name) => [name, `00-${TRACE}-${PARENT}-01`]),
  test_traceparent_version_0x00: ['.', '-what-the-future-will-be-like'].map((rest) => ['traceparent', `00-${TRACE}-${PARENT}-01${rest}`]),
  test_traceparent_version_0xcc_with_another_separator: [['traceparent', `cc-${TRACE}-${PARENT}-01.what-the-future-will-be-like`]],
  test_traceparent_version_0xff: [['traceparent', `ff-${TRACE}-${PARENT}-01`]],
  test_traceparent_version_illegal_characters: ['.0', '0.'].map((version) => ['traceparent', `${version}-${TRACE}-${PARENT}-01`]),
  test_traceparent_version_too_long: ['000', '0000'].map((version) => ['traceparent', `${version}-${TRACE}-${PARENT}-01`]),
  test_traceparent_version_too_short: [['traceparent', `0-${TRACE}-${PARENT}-01`]],
  test_traceparent_trace_id_all_zero: [['traceparent', `00-${'0'.repeat(32)}-${PARENT}-01`]],
  test_traceparent_trace_id_illegal_characters: ['.2345678901234567890123456789012', '1234567890123456789012345678901.'].map((id) => ['traceparent', `00-${id}-${PARENT}-01`]),
  test_traceparent_trace_id_too_long: [['traceparent', `00-${TRACE}3-${PARENT}-01`]],
  test_traceparent_trace_id_too_short: [['traceparent', `00-${TRACE.slice(1)}-${PARENT}-01`]],
  test_traceparent_parent_id_all_zero: [['traceparent', `00-${TRACE}-0000000000000000-01`]],
  test_traceparent_parent_id_illegal_characters: ['.234567890123456', '123456789012345.'].map((id) => ['traceparent', `00-${TRACE}-${id}-01`]),
  test_traceparent_parent_id_too_long: [['traceparent', `00-${TRACE}-12345678901234567-01`]],
  test_traceparent_parent_id_too_short: [['traceparent', `00-${TRACE}-123456789012345-01`]],
  test_traceparent_trace_flags_illegal_characters: ['.0', '0.'].map((flags) => ['traceparent', `00-${TRACE}-${PARENT}-${flags}`]),
  test_traceparent_trace_flags_too_long: [['traceparent', `00-${TRACE}-${PARENT}-001`]],
  test_traceparent_trace_flags_too_short: [['traceparent', `00-${TRACE}-${PARENT}-1`]],
}

for (const [name, headers] of Object.entries(KEPT)) {
  test(name, async () => {
    for (const header of headers) assert.equal((await single(header)).traceId, TRACE, header.join(': '))
  })
}

for (const [name, headers] of Object.entries(RESTARTED)) {
  test(name, async () => {
    for (const header of headers) {
      const { traceId } = await single(header)
      // Nothing of the id that was sent is taken over.
      assert.ok(!header[1].includes(traceId) && traceId !== TRACE, header.join(': '))
    }
  })
}

test('test_tracestate_included_traceparent_missing', async () => {
  for (const state of ['foo=1', 'foo=1,bar=2']) assert.equal((await single(['tracestate', state])).state.size, 0)
})

function states(...values: readonly string[]): Header[] {
  return values.map((value) => ['tracestate', value])
}

/** What is sent, by test, and what has to be handed on: the members in their order. */
const STATES: readonly (readonly [string, readonly Header[], readonly string[]])[] = [
  ['test_tracestate_included_traceparent_included', states('foo=1,bar=2'), ['foo=1', 'bar=2']],
  ['test_tracestate_header_name', [['trace-state', 'foo=1']], []],
  ['test_tracestate_header_name', [['trace.state', 'foo=1']], []],
  ['test_tracestate_header_name_valid_casing', [['TraceState', 'foo=1']], ['foo=1']],
  ['test_tracestate_header_name_valid_casing', [['TrAcEsTaTe', 'foo=1']], ['foo=1']],
  ['test_tracestate_header_name_valid_casing', [['TRACESTATE', 'foo=1']], ['foo=1']],
  ['test_tracestate_empty_header', states(''), []],
  ['test_tracestate_empty_header', states('foo=1', ''), ['foo=1']],
  ['test_tracestate_empty_header', states('', 'foo=1'), ['foo=1']],
  ['test_tracestate_multiple_headers_different_keys', states('foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'), ['foo=1', 'bar=2', 'rojo=1', 'congo=2', 'baz=3']],
  ['test_tracestate_duplicated_keys', states('foo=1,foo=1'), []],
  ['test_tracestate_duplicated_keys', states('foo=1,foo=2'), []],
  ['test_tracestate_duplicated_keys', states('foo=1', 'foo=1'), []],
  ['test_tracestate_duplicated_keys', states('foo=1', 'foo=2'), []],
  ['test_tracestate_ows_handling', states('foo=1 \t , \t bar=2, \t baz=3'), ['foo=1', 'bar=2', 'baz=3']],
  ['test_tracestate_ows_handling', states('foo=1\t \t,\t \tbar=2,\t \tbaz=3'), ['foo=1', 'bar=2', 'baz=3']],
  ...[' foo=1', '\tfoo=1', 'foo=1 ', 'foo=1\t', '\t foo=1 \t'].map((state) => ['test_tracestate_ows_handling', states(state), ['foo=1']] as const),
  ...['foo =1', 'FOO=1', 'foo.bar=1'].map((state) => ['test_tracestate_key_illegal_characters', states(state), []] as const),
  ...['foo@=1,bar=2', '@foo=1,bar=2', 'foo@@bar=1,bar=2', 'foo@bar@baz=1,bar=2'].map((state) => ['test_tracestate_key_illegal_vendor_format', states(state), []] as const),
  ['test_tracestate_key_length_limit', states('foo=1', `${'z'.repeat(256)}=1`), ['foo=1', `${'z'.repeat(256)}=1`]],
  ['test_tracestate_key_length_limit', states('foo=1', `${'z'.repeat(257)}=1`), []],
  ['test_tracestate_key_length_limit', states('foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`), ['foo=1', `${'t'.repeat(241)}@${'v'.repeat(14)}=1`]],
  ['test_tracestate_key_length_limit', states('foo=1', `${'t'.repeat(242)}@v=1`), []],
  ['test_tracestate_key_length_limit', states('foo=1', `t@${'v'.repeat(15)}=1`), []],
  ['test_tracestate_value_illegal_characters', states('foo=bar=baz'), []],
  ['test_tracestate_value_illegal_characters', states('foo=,bar=3'), []],
]

STATES.forEach(([name, headers, expected], index) => {
  test(`${name} (${index})`, async () => {
    const { traceId, state } = await single(VALID, ...headers)
    assert.equal(traceId, TRACE)
    assert.deepEqual([...state].map(([key, value]) => `${key}=${value}`), expected)
  })
})

function characters(from: number, to: number): string {
  return String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, index) => from + index))
}

test('test_tracestate_all_allowed_characters', async () => {
  const key = `${characters(0x61, 0x7a)}0123456789_-*/`
  const value = `${characters(0x20, 0x2b)}${characters(0x2d, 0x3c)}${characters(0x3e, 0x7e)}`
  for (const name of [key, `${key}@a-z0-9_-*/`]) assert.equal((await single(VALID, ['tracestate', `${name}=${value}`])).state.get(name), value)
})

test('test_tracestate_member_count_limit', async () => {
  const members = Array.from({ length: 33 }, (_, index) => `bar${String(index + 1).padStart(2, '0')}=${String(index + 1).padStart(2, '0')}`)
  const sent = (count: number): Header[] => [0, 10, 20, 30].map((from) => ['tracestate', members.slice(from, Math.min(from + 10, count)).join(',')])
  const { state } = await single(VALID, ...sent(32))
  assert.deepEqual([state.size, state.get('bar01')], [32, '01'])
  assert.equal((await single(VALID, ...sent(33))).state.size, 0)
})

test('AdvancedTest: test_multiple_requests_with_valid_traceparent, _without_traceparent, _with_illegal_traceparent', async () => {
  const valid = (await requests([['traceparent', `00-${TRACE}-${PARENT}-01`]], 3)).map(read)
  assert.deepEqual([...new Set(valid.map(({ traceId }) => traceId))], [TRACE])
  const without = (await requests([], 3)).map(read)
  const illegal = (await requests([['traceparent', `00-${'0'.repeat(32)}-${PARENT}-01`]], 3)).map(read)
  for (const calls of [valid, without, illegal]) assert.equal(new Set(calls.map(({ parentId }) => parentId)).size, 3)
})
