import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type InventoryItem, isInventoryItem } from '@andon/model'
import { inventoryItems, registerInventory } from './inventory.ts'

test('what is registered is kept once, by kind, in order', () => {
  registerInventory({ kind: 'job', name: 'send digests' })
  registerInventory({ kind: 'route', name: 'GET /boards/:id' })
  registerInventory({ kind: 'route', name: 'GET /boards/:id' })
  registerInventory({ kind: 'job', name: 'GET /boards/:id' })
  assert.deepEqual(inventoryItems(), [
    { kind: 'route', name: 'GET /boards/:id' },
    { kind: 'job', name: 'send digests' },
    { kind: 'job', name: 'GET /boards/:id' },
  ])
})

test('what is no operation is not registered, and nothing is thrown', () => {
  const before = inventoryItems()
  for (const wrong of [{ kind: 'job', name: '' }, { kind: 'job', name: ' ' }, { kind: 'job', name: 'x'.repeat(301) }, { kind: 'job', name: 'a\nb' }, { kind: 'toString', name: 'a' }, { kind: 'job', name: 7 }]) {
    registerInventory(wrong as InventoryItem)
  }
  assert.deepEqual(inventoryItems(), before)
})

test('each kind is bounded by itself', () => {
  for (let index = 0; index < 3000; index += 1) registerInventory({ kind: 'dependency', name: `host-${index}:80` })
  assert.equal(inventoryItems().filter(({ kind }) => kind === 'dependency').length, 1000)
  registerInventory({ kind: 'route', name: 'GET /after' })
  assert.ok(inventoryItems().some(({ name }) => name === 'GET /after'))
})

test('an item is a known kind and a name of 1 to 300 characters (property)', () => {
  fc.assert(
    fc.property(fc.constantFrom('route', 'job', 'handler', 'dependency', 'statement', ''), fc.string({ maxLength: 400, unit: 'binary' }), (kind, name) => {
      const right = !['statement', ''].includes(kind) && name.trim() !== '' && name.length <= 300 && ![...Array(name.length).keys()].some((at) => name.charCodeAt(at) < 32 || (name.charCodeAt(at) > 126 && name.charCodeAt(at) < 160))
      assert.equal(isInventoryItem({ kind, name }), right)
    }),
  )
})
