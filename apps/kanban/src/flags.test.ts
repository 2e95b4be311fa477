import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

for (const [program, args, code, words] of [
  ['load', ['--help'], 0, /--url U/],
  ['load', ['--bogus'], 2, /load: Unknown option '--bogus'[^]*--url U/],
  ['load', ['--url', 'localhost'], 2, /--url must be an address/],
  ['load', ['--url'], 2, /--url[^]*argument missing/],
  ['traffic', ['--help'], 0, /--rate N/],
  ['traffic', ['more'], 2, /traffic: Unexpected argument 'more'/],
  ['traffic', ['--rate', 'fast'], 2, /--rate must be a number greater than 0, not "fast"/],
] as const) {
  test(`${program} ${args.join(' ')} ends with ${code} and words, not with a stack`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, `${program}.js`), ...args], { encoding: 'utf8', timeout: 30_000 })
    assert.deepEqual([status, words.test(stdout + stderr)], [code, true], stdout + stderr)
    assert.doesNotMatch(stdout + stderr, /^ {4}at /m)
  })
}
