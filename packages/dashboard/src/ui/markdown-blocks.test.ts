import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Block, inlines, markdownBlocks } from './markdown-blocks.ts'

test('a runbook is read as people write it', () => {
  const blocks = markdownBlocks('---\nalert: A\n---\n# Pool is exhausted\n\nLook at `pool.wait`\nfirst.\n\n1. Open **traces**\n2. [x] Restart\n   slowly\n\n```promql\nrate(x[5m])\n```\n\n| a | b |\n|---|---|\n| 1 | x \\| y |\n')
  assert.deepEqual(
    blocks.map(({ kind }) => kind),
    ['heading', 'paragraph', 'list', 'code', 'table'],
  )
  const [, paragraph, list, code, table] = blocks
  assert.deepEqual(paragraph, { kind: 'paragraph', line: [{ kind: 'text', text: 'Look at ' }, { kind: 'code', text: 'pool.wait' }, { kind: 'text', text: ' first.' }] })
  assert.ok(list?.kind === 'list' && list.ordered)
  assert.deepEqual(list.items.map(({ ticked, line }) => [ticked, line.map(({ text }) => text).join('')]), [[null, 'Open traces'], [true, 'Restart slowly']])
  assert.deepEqual(code, { kind: 'code', language: 'promql', text: 'rate(x[5m])' })
  assert.ok(table?.kind === 'table')
  assert.deepEqual(table.rows[0]?.[1], [{ kind: 'text', text: 'x | y' }])
})

test('a link leads to the web or to this server, never into a script', () => {
  assert.deepEqual(inlines('[go](https://a.b/c) [here](/alerts)').filter(({ kind }) => kind === 'link').length, 2)
  for (const bad of ['javascript:alert`1`', 'data:text/html,x', '//evil.example', 'JaVaScRiPt:x']) assert.ok(inlines(`[x](${bad})`).every(({ kind }) => kind !== 'link'), bad)
  assert.deepEqual(inlines('see https://a.b/c.').map(({ text }) => text), ['see ', 'https://a.b/c', '.'])
  assert.deepEqual(inlines('a_b_c and 2*3*4').map(({ kind }) => kind), ['text'])
})

const size = (block: Block): number => JSON.stringify(block).length

test('any text is read, in an end', () => {
  const line = fc.oneof(fc.string(), fc.constantFrom('# a', '- b', '- [ ] c', '```', '| a |', '|---|', '> q', '---', '  more', ''))
  fc.assert(fc.property(fc.array(line, { maxLength: 30 }), (lines) => assert.ok(markdownBlocks(lines.join('\n')).every((block) => size(block) > 0))))
})
