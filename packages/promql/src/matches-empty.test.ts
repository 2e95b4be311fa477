import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matchesEmpty } from './matches-empty.ts'

test('expressions that match nothing at all are told from those that need something', () => {
  for (const pattern of ['', 'a*', 'a?', 'a|', '|a', '(a*)', '(?:a|b?)*', '^$', '^', '(?i)', '(?i:a*)', 'a{0}', 'a{0,3}', '.*', '[^a]*', '(a|)+', '[]a]*', '\\d*', '(?P<n>x?)', 'a*?', '(a+)?', '()', '\\Q\\E', '\\A\\z', '[[:alpha:]]*']) {
    assert.equal(matchesEmpty(pattern), true, pattern)
  }
  for (const pattern of ['a', 'a+', '.+', 'a|b', '(a)', '(?i)a', 'a{1}', 'a{2,}', '[ab]', '\\*', '\\(', 'a*b', '[*]', '\\Qa*\\E', '(?:a|b)+', '[\\]]', '\\x41', '[[:alpha:]]']) {
    assert.equal(matchesEmpty(pattern), false, pattern)
  }
})

test('it agrees with what runs the expression', () => {
  const atom = fc.constantFrom('a', '.', '[ab]', '[^x]', '\\d', '^', '$', '\\.')
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 5 },
      atom,
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{0,2}', '{2}', '*?')).map(([a, quantifier]) => `(?:${a})${quantifier}`),
    ),
  }))
  fc.assert(fc.property(pattern, (text) => assert.equal(matchesEmpty(text), new RegExp(`^(?:${text})$`, 's').test(''))))
})

test('no expression takes more than one reading', () => {
  const started = process.cpuUsage()
  for (const part of ['(*)*', '(a*)*', '((', '[[', '\\', 'a|', '(?:a*)*']) matchesEmpty(`${part.repeat(16_000)}x`)
  assert.ok(process.cpuUsage(started).user < 5_000_000)
})
