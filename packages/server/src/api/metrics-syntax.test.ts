import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from '@andon/promql'
import { ask } from './metrics-fixture.test.ts'
import { treeJson } from './metrics-syntax.ts'

/** As Prometheus' documentation shows it, and with what its source has besides. */
const selector = (name: string): object => ({
  type: 'vectorSelector',
  name,
  matchers: [{ name: '__name__', type: '=', value: name }],
  offset: 0,
  timestamp: null,
  startOrEnd: null,
  anchored: false,
  smoothed: false,
})
const oneToOne = { card: 'one-to-one', include: [], labels: [], on: false, fillValues: { lhs: null, rhs: null } }

test('the examples of the documentation of Prometheus, by address and by form', async () => {
  const tree = { status: 'success', data: { type: 'binaryExpr', op: '/', lhs: selector('foo'), rhs: selector('bar'), matching: oneToOne, bool: false } }
  for (const [path, answer] of [['format_query', { status: 'success', data: 'foo / bar' }], ['parse_query', tree]] as const) {
    assert.deepEqual(await ask(`${path}?query=foo/bar`), answer)
    assert.deepEqual(await ask(path, { form: 'query=foo/bar' }), answer)
    const { errorType, error } = await ask(`${path}?query=foo/`, { status: 400 })
    assert.deepEqual([errorType, error], ['bad_data', '1:5: the expression ends too early'])
    assert.equal((await ask(path, { status: 400 })).errorType, 'bad_data', 'nothing is asked')
  }
})

test('every kind of node', () => {
  assert.deepEqual(treeJson(parse('topk by (job) (2, -rate(x{a=~"b.*"}[5m] @ start() offset 1m))')), {
    type: 'aggregation',
    op: 'topk',
    param: { type: 'numberLiteral', val: '2' },
    grouping: ['job'],
    without: false,
    expr: {
      type: 'unaryExpr',
      op: '-',
      expr: {
        type: 'call',
        func: { name: 'rate', argTypes: ['matrix'], variadic: 0, returnType: 'vector' },
        args: [
          {
            type: 'matrixSelector',
            name: 'x',
            range: 300_000,
            matchers: [{ name: '__name__', type: '=', value: 'x' }, { name: 'a', type: '=~', value: 'b.*' }],
            offset: 60_000,
            timestamp: null,
            startOrEnd: 'start',
            anchored: false,
            smoothed: false,
          },
        ],
      },
    },
  })
  assert.deepEqual(treeJson(parse('(vector(Inf))[1h:] @ 1.5')), {
    type: 'subquery',
    expr: { type: 'parenExpr', expr: { type: 'call', func: { name: 'vector', argTypes: ['scalar'], variadic: 0, returnType: 'vector' }, args: [{ type: 'numberLiteral', val: '+Inf' }] } },
    range: 3_600_000,
    step: 0,
    offset: 0,
    timestamp: 1500,
    startOrEnd: null,
  })
  const join = { name: 'label_join', argTypes: ['vector', 'string', 'string', 'string'], variadic: -1, returnType: 'vector' }
  assert.deepEqual(treeJson(parse('label_join(x, "a", "-")')), { type: 'call', func: join, args: [selector('x'), { type: 'stringLiteral', val: 'a' }, { type: 'stringLiteral', val: '-' }] })
})

const matching = (text: string): unknown => Reflect.get(treeJson(parse(text)), 'matching')

test('how elements find each other', () => {
  assert.deepEqual(matching('a * on (x) group_left (y) fill_left (0) b'), { card: 'many-to-one', labels: ['x'], on: true, include: ['y'], fillValues: { lhs: 0, rhs: null } })
  assert.deepEqual(matching('a * ignoring (x) group_right () b'), { ...oneToOne, card: 'one-to-many', labels: ['x'] })
  assert.deepEqual(matching('a unless b'), { ...oneToOne, card: 'many-to-many' })
  assert.equal(matching('a > bool 1'), null)
})
