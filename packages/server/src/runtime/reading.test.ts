import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import { Reading } from './reading.ts'

const at = (yaml: string, env?: Record<string, string>): Reading => new Reading(parse(yaml), 'a', { hint: 'see b.md', env })

test('values are read as what they are written, and as what stands for them where nothing is', () => {
  const given = at('{ text: x, number: 1.5, truth: true, empty: "", list: [x, 2], whole: 7, time: 1h30m, none: 0, nothing: ~ }')
  assert.deepEqual([given.at('text').text(), given.at('nothing').text(undefined), given.at('missing').text('y'), given.at('empty').text('')], ['x', undefined, 'y', ''])
  assert.deepEqual([given.at('number').scalar(), given.at('truth').scalar(), given.at('empty').scalar(), given.at('number').name(), given.at('nothing').name('z')], ['1.5', 'true', '', '1.5', 'z'])
  assert.deepEqual([given.at('list').names(), given.at('text').texts(), given.at('nothing').texts(['y']), given.at('empty').texts([], 0), given.at('nothing').list()], [['x', '2'], ['x'], ['y'], [''], []])
  assert.deepEqual([given.at('truth').flag(false), given.at('nothing').flag(false), given.at('whole').whole({ least: 1, most: 9 }), given.at('nothing').whole({ least: 1, most: 9 }, 3)], [true, false, 7, 3])
  assert.deepEqual([given.at('text').word(['x', 'y']), given.at('nothing').word(['x', 'y'], 'y')], ['x', 'y'])
  assert.deepEqual([given.at('time').duration(), given.at('none').duration(), given.at('nothing').duration({ least: 5 }, 1)], [5_400_000, 0, 1])
  assert.deepEqual([given.at('text').or(1, (one) => one.text()), given.at('nothing').or(1, (one) => one.text()), given.at('nothing').orEmpty().at('x').path, given.at('nothing').orNone(), given.at('text').orNone()?.text()], ['x', 1, 'a.nothing.x', undefined, 'x'])
  assert.deepEqual([given.has('text'), given.has('nothing'), given.at('constructor').isAbsent], [true, false, true])
})

test('what does not fit is refused with its path', () => {
  const given = at('{ text: x, blank: " ", list: [x, x], mapping: { b: 1 }, number: 5 }')
  const wrong: readonly (readonly [read: () => unknown, message: string])[] = [
    [() => given.at('number').text(), 'a.number must be a text'],
    [() => given.at('blank').text('other'), 'a.blank must be a text'],
    [() => given.at('missing').text(), 'a.missing must be a text'],
    [() => given.at('blank').name(), 'a.blank must be a text that is not empty'],
    [() => given.at('mapping').scalar(), 'a.mapping must be a text'],
    [() => given.at('text').list(), 'a.text must be a list'],
    [() => given.at('list').list(1), 'a.list must be a list of at most 1'],
    [() => given.at('list').list()[1]?.flag(true), 'a.list[1] must be true or false'],
    [() => given.at('number').texts(), 'a.number must be a list of texts'],
    [() => given.at('list').refuseTwice(given.at('list').names()), 'a.list must not hold "x" twice'],
    [() => given.at('text').keys(), 'a.text must hold names and values'],
    [() => given.at('list').at('x'), 'a.list must hold names and values'],
    [() => given.at('mapping').fields(['c', 'd']), 'a.mapping.b is not known here; there may be c, d'],
    [() => given.at('number').whole({ least: 6, most: 9 }), 'a.number must be a whole number from 6 to 9'],
    [() => given.at('text').word(['y', 'z']), 'a.text must be one of y, z'],
    [() => given.at('number').duration(), 'a.number must be a duration, such as 30s or 1h30m'],
    [() => at('b: 1s').at('b').duration({ least: 10_000 }), 'a.b must be a duration of 10s or longer, such as 30s or 1h30m'],
    [() => at('b: 1s').at('b').duration({ least: 10_000, most: 3_600_000 }), 'a.b must be a duration from 10s to 1h, such as 30s or 1h30m'],
    [() => at('b: -1s').at('b').duration(), 'a.b must be a duration, such as 30s or 1h30m'],
    [() => at('b: Inf').at('b').duration(), 'a.b must be a duration, such as 30s or 1h30m'],
    [() => given.at('text').parsed(() => assert.fail('no')), 'a.text is not understood: no'],
  ]
  for (const [read, message] of wrong) assert.throws(read, { code: 'bad_config', message, hint: 'see b.md' })
  assert.throws(() => given.refuse('is wrong', 'do otherwise'), { message: 'a is wrong', hint: 'do otherwise' })
})
