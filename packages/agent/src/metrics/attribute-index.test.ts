import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AttributeIndex, keyOf } from './attribute-index.ts'

test('what is held for attributes is found by them in every order of keys, and by no others', () => {
  const attributes = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.oneof(fc.constantFrom('x', 'y', '1', '', true, false), fc.nat(3), fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 })), { maxKeys: 4 })
  fc.assert(
    fc.property(fc.array(fc.tuple(attributes, fc.boolean(), fc.boolean()), { maxLength: 60 }), (steps) => {
      const index = new AttributeIndex<{ readonly key: string }>()
      const model = new Map<string, { readonly key: string }>()
      for (const [set, isReversed, isForgetting] of steps) {
        const given = isReversed ? Object.fromEntries(Object.entries(set).toReversed()) : set
        const key = keyOf(given)
        assert.equal(index.find(given), model.get(key))
        if (!model.has(key)) {
          const held = { key }
          model.set(key, held)
          index.add(given, held)
        }
        assert.equal(index.find(given), model.get(key))
        if (isForgetting && model.size > 3) {
          index.forget((held) => held.key === key)
          model.delete(key)
        }
        assert.equal(index.size, model.size)
      }
    }),
    { numRuns: 300 },
  )
})
