import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exceptionFingerprint } from './exception.ts'

const stack = (line: number, release: string): string =>
  `TypeError: x\n    at loadBoard (/srv/${release}/src/boards.ts:${line}:7)\n    at async handle (file:///srv/${release}/src/main.ts:${line}:3)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`

test('the same error of two releases is one group', () => {
  const first = exceptionFingerprint({ type: 'TypeError', message: 'no board 17', stack: stack(10, 'r1') })
  assert.equal(first, 'TypeError\nloadBoard boards.ts\nhandle main.ts')
  assert.equal(exceptionFingerprint({ type: 'TypeError', message: 'no board 18', stack: stack(99, 'r2') }), first)
})

const python = (line: number): string => `Traceback (most recent call last):\n  File "/srv/main.py", line ${line}, in handle\n    x()\n  File "/usr/lib/python3/site-packages/flask/app.py", line 1, in run\n  File "/srv/board.py", line ${line + 1}, in load\nKeyError: ${line}`

test('stacks of other languages and of bundles are told without lines and hashes', () => {
  assert.equal(exceptionFingerprint({ type: 'KeyError', message: '17', stack: python(3) }), 'KeyError\nload board.py\nhandle main.py')
  assert.equal(exceptionFingerprint({ type: 'KeyError', message: '18', stack: python(40) }), 'KeyError\nload board.py\nhandle main.py')
  assert.equal(exceptionFingerprint({ type: 'E', message: '', stack: String.raw`E\n   at Shop.Cart.Load(Int32 id) in C:\src\Cart.cs:line 12`.replaceAll(String.raw`\n`, '\n') }), 'E\nShop.Cart.Load(Int32 id) Cart.cs')
  assert.equal(exceptionFingerprint({ type: 'E', message: '', stack: 'E\n    at load (/srv/dist/board-4f3a2b1c.js:1:7)' }), 'E\nload board.js')
})

const of = (message: string): string => exceptionFingerprint({ type: 'Error', message, stack: '' })

test('without frames of the application the message counts, less what changes in it', () => {
  assert.equal(of('board 17 of "Ada" is gone'), of('board 18 of "Bob" is gone'))
  assert.equal(of('no 6f1c3b52-0c4e-4a53-9f0e-2f3b1c4d5e6f'), of('no 00000000-0c4e-4a53-9f0e-2f3b1c4d5e6f'))
  assert.equal(of('no user u8fk2l0p9 at ada@example.com'), of('no user k20xj4mmm at bob.b@mail.example.org'))
  assert.notEqual(of('board is gone'), of('card is gone'))
  assert.notEqual(of('boardroom is gone'), of('cardboards is gone'))
})

test('a stack made to be slow is passed over', () => {
  const hostile = `Error\n    at ${'a('.repeat(500_000)}`
  assert.equal(exceptionFingerprint({ type: 'Error', message: 'no board 17', stack: hostile }), 'Error\nno board #')
})
