import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { labelsKey, sortedPairs } from './labels.ts'

test('pairs stand in the order of their names; an empty value is no label', () => {
  assert.deepEqual(sortedPairs({ b: '2', a: '1', c: '' }), [['a', '1'], ['b', '2']])
  assert.equal(labelsKey({ b: '2', a: '1' }), 'a\u001F1\u001Eb\u001F2\u001E')
})

test('two sets of labels have one key only when they are equal', () => {
  const labels = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.stringMatching(/^[a-z]{1,3}$/))
  fc.assert(
    fc.property(labels, labels, (a, b) => {
      assert.equal(labelsKey(a) === labelsKey(b), JSON.stringify(sortedPairs(a)) === JSON.stringify(sortedPairs(b)))
    }),
  )
})
