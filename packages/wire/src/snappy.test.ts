// The elements of blocks are drawn at random, so that every kind of them is met, with what they unpack to beside them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import fc from 'fast-check'
import { unpackSnappy } from './snappy.ts'

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** index) % 256)
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))]
}

function literal(bytes: readonly number[], wide: boolean): number[] {
  const less = bytes.length - 1
  if (less < 60 && !wide) return [less << 2, ...bytes]
  const size = less < 0x100 && !wide ? 1 : less < 0x1_00_00 ? 2 : 3
  return [(59 + size) << 2, ...littleEndian(less, size), ...bytes]
}

/** A copy in the narrowest form that holds it, or in a wider one. */
function copy(length: number, offset: number, form: number): number[] {
  if (form === 1 && length >= 4 && length <= 11 && offset < 2048) return [1 | ((length - 4) << 2) | ((offset >> 8) << 5), offset % 256]
  const bytes = form === 3 || offset > 0xff_ff ? 4 : 2
  return [(bytes === 4 ? 3 : 2) | ((length - 1) << 2), ...littleEndian(offset, bytes)]
}

const element = fc.oneof(
  fc.record({ bytes: fc.array(fc.nat(255), { minLength: 1, maxLength: 300 }), wide: fc.boolean() }),
  fc.record({ length: fc.integer({ min: 1, max: 64 }), back: fc.double({ min: 0, max: 1, noNaN: true }), form: fc.constantFrom(1, 2, 3) }),
)

test('every kind of element unpacks to what it stands for, copies that overlap themselves among them', () => {
  fc.assert(
    fc.property(fc.array(element, { maxLength: 30 }), (elements) => {
      const plain: number[] = []
      const packed: number[] = []
      for (const each of elements) {
        if ('bytes' in each) {
          packed.push(...literal(each.bytes, each.wide))
          plain.push(...each.bytes)
        } else if (plain.length > 0) {
          const offset = 1 + Math.floor(each.back * (plain.length - 1))
          packed.push(...copy(each.length, offset, each.form))
          for (let rest = each.length; rest > 0; rest -= 1) plain.push(plain[plain.length - offset] ?? 0)
        }
      }
      const block = Uint8Array.from([...varint(plain.length), ...packed])
      assert.deepEqual([...unpackSnappy(block, 100_000)], plain)
    }),
  )
})

/** What becomes of a block. */
function code(block: readonly number[], limit = 1000): string {
  try {
    unpackSnappy(Uint8Array.from(block), limit)
  } catch (error) {
    return error instanceof AndonError ? error.code : 'another error'
  }
  return 'taken'
}

test('what is no block is refused, and nothing is taken for what it only promises', () => {
  assert.equal(code([3, 8, 1, 2, 3]), 'taken')
  assert.equal(code([0]), 'taken')
  const wrong = { empty: [], 'no end of the length': [0xff, 0xff, 0xff, 0xff, 0xff, 1], 'too short': [4, 8, 1, 2, 3], 'too long': [2, 8, 1, 2, 3], 'literal cut': [3, 8, 1], 'length of a literal cut': [3, 60 << 2], 'copy from nowhere': [5, 1, 1], 'copy of nothing': [5, 0, 7, 2, 0, 0], 'far too much': [0xff, 0xff, 0x03, 0, 1] }
  for (const [what, block] of Object.entries(wrong)) assert.equal(code(block, 100_000), 'bad_body', what)
  assert.equal(code([0xff, 0xff, 0xff, 0x7f, 0, 1]), 'too_large')
})

test('any bytes are unpacked or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
      try {
        assert.ok(unpackSnappy(block, 4000).length <= 4000)
      } catch (error) {
        assert.ok(error instanceof AndonError)
      }
    }),
  )
})
