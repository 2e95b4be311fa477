import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fingerprintOf, textHash } from './fingerprint.ts'
import { allMatch, matchersText, matcherText, parseMatcher, parseMatchers, sortedMatchers } from './matcher.ts'

const one = (name: string, operator: string, value: string): object => ({ name, operator, value })

test('matchers are read as Alertmanager reads them', () => {
  for (const [text, ...expected] of [
    ['{foo = "bar", dings != "bums", }', one('foo', '=', 'bar'), one('dings', '!=', 'bums')],
    ['foo=bar,dings!=bums', one('foo', '=', 'bar'), one('dings', '!=', 'bums')],
    ['{quote="She said: \\"Hi, ladies! That\'s gender-neutral…\\""}', one('quote', '=', 'She said: "Hi, ladies! That\'s gender-neutral…"')],
    ['statuscode=~"5.."', one('statuscode', '=~', '5..')],
    ['foo!~', one('foo', '!~', '')],
    ['foo=', one('foo', '=', '')],
    ['foo="a\\nb\\\\c\\d"', one('foo', '=', 'a\nb\\c\\d')],
    ['"a b"="c"', one('a b', '=', 'c')],
    ['{}'],
    [''],
  ] as const) assert.deepEqual(parseMatchers(text), expected, text)
  for (const text of ['foo', '=bar', 'foo="bar', 'foo=ba"r', 'foo=~"("', 'foo=="a"b"']) assert.throws(() => parseMatchers(text), { code: 'bad_parameter' }, text)
  assert.throws(() => parseMatchers(Array.from({ length: 101 }, () => 'a=b').join()), /more than 100/)
})

test('what is written is read again', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ unit: 'binary' }), fc.constantFrom('=', '!='), (name, value, operator) => {
      const matcher = { name, operator: operator as '=', value }
      assert.deepEqual(parseMatcher(matcherText(matcher)), matcher)
      assert.deepEqual(parseMatchers(matchersText([matcher, { ...matcher, value: `${value},` }])), [matcher, { ...matcher, value: `${value},` }])
    }),
    { numRuns: 300 },
  )
})

const holds = (text: string): boolean => allMatch(parseMatchers(text))({ a: 'xyz' })

test('an absent label is an empty one, an expression matches the whole value, all must hold', () => {
  assert.deepEqual(['a=xyz', 'a=~x', 'a=~"x.*"', 'b=""', 'b!=""', 'b=~".*"', 'a=xyz,b=c', 'a!~"q|r"', ''].map(holds), [true, false, true, true, false, true, false, true, true])
  assert.deepEqual(sortedMatchers(parseMatchers('b=1,a!=1,a=1')).map(matcherText), ['a="1"', 'a!="1"', 'b="1"'])
})

/** As Go has it, with numbers of any size. */
function reference(labels: Readonly<Record<string, string>>): string {
  let hash = 0xcb_f2_9c_e4_84_22_23_25n
  const add = (bytes: Iterable<number>): void => {
    for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x1_00_00_00_01_b3n) & 0xff_ff_ff_ff_ff_ff_ff_ffn
  }
  for (const name of Object.keys(labels).toSorted()) {
    add(Buffer.from(name))
    add([0xff])
    add(Buffer.from(labels[name] ?? ''))
    add([0xff])
  }
  return hash.toString(16).padStart(16, '0')
}

test('fingerprints are those of Prometheus', () => {
  assert.equal(fingerprintOf({}), 'cbf29ce484222325')
  // Of its own test: model/signature_test.go.
  assert.equal(fingerprintOf({ name: 'garland, briggs', fear: 'love is not enough' }), 5799056148416392346n.toString(16))
  assert.equal(fingerprintOf({ a: '1', b: '' }), fingerprintOf({ a: '1' }))
  assert.equal(textHash(''), 'cbf29ce484222325')
  fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ minLength: 1, unit: 'grapheme' })), (labels) => assert.equal(fingerprintOf(labels), reference(labels))))
})
