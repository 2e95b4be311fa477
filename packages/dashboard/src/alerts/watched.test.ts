import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExpression } from './watched.ts'

test('what is watched is told without the comparison', () => {
  assert.deepEqual(readExpression('sum(rate(x[5m])) > 5 and y'), { watched: { expression: 'sum(rate(x[5m]))', thresholds: [5] }, compares: true })
  assert.deepEqual(readExpression('(1 < (a / b))'), { watched: { expression: 'a / b', thresholds: [1] }, compares: true })
  assert.deepEqual(readExpression('(a > 1) < -(-9)'), { watched: { expression: 'a', thresholds: [1, 9] }, compares: true })
  assert.deepEqual(readExpression('up'), { watched: { expression: 'up', thresholds: [] }, compares: false })
  assert.match(JSON.stringify(readExpression('sum(rate(x[5m]) >')), /problem":"1:/)
})
