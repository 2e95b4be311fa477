import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { AndonError } from '@andon/model'
import { hashToken } from './api/guard.ts'
import { checkConfig, OPTIONS, readOptions } from './config.ts'
import { defaultLimits } from './runtime/limits.ts'
import { defaultDisk } from './store/disk-marks.ts'

const folder = mkdtempSync(join(tmpdir(), 'andon-config-'))
after(() => rmSync(folder, { recursive: true }))
const root = resolve(import.meta.dirname, '../../..')

function write(text: string): string {
  const file = join(folder, 'andon.yaml')
  writeFileSync(file, text)
  return file
}

const cell = (text: string | undefined): string => (text === undefined ? '' : `\`${text}\``)

/** The message of the refusal of a file. */
function refusal(text: string): string {
  try {
    checkConfig(text, 'andon.yaml')
  } catch (error) {
    assert.ok(error instanceof AndonError)
    assert.equal(error.code, 'bad_config')
    return error.message
  }
  return 'was accepted'
}

test('flags win over the environment, that over the file, that over the default', () => {
  const file = write('listen:\n  port: 1001\n')
  const env = { ANDON_PORT: '1002' }
  assert.equal(readOptions({ file, env, flags: { 'listen.port': '1003' } }).port, 1003)
  assert.equal(readOptions({ file, env }).port, 1002)
  assert.equal(readOptions({ file }).port, 1001)
  assert.equal(readOptions({ file: write('') }).port, 4318)
})

test('the example holds the defaults and nothing else', () => {
  const example = readOptions({ file: join(root, 'andon.example.yaml') })
  assert.deepEqual(example, readOptions({ file: write('') }))
})

test('every mistake names its line', () => {
  assert.match(refusal('data_dir: x\nlissten:\n  port: 1\n'), /^andon\.yaml:2: there is no option "lissten"/)
  assert.match(refusal('port: 1\n'), /^andon\.yaml:1: .*Did you mean listen\.port\?/)
  assert.match(refusal('listen:\n  host: 127.0.0.1\n  port: eighty\n'), /^andon\.yaml:3: listen\.port must be a whole number/)
  assert.match(refusal('listen:\n  port: 70000\n'), /^andon\.yaml:2/)
  assert.match(refusal('listen: 4\n'), /^andon\.yaml:1: listen must hold host, port, grpc_port, allowed_hosts/)
  assert.match(refusal('a: 1\na: 2\n'), /^andon\.yaml:2/)
  assert.match(refusal('listen: [\n'), /^andon\.yaml:[12]: /)
  assert.match(refusal('- 1\n'), /^andon\.yaml:1: the file must hold keys/)
  assert.match(refusal('tokens:\n  - name: a\n    role: king\n    sha256: x\n'), /^andon\.yaml:1: tokens must be/)
  assert.match(refusal('data_dir: x\nalerting:\n  rote: {}\n'), /^andon\.yaml:3: alerting\.rote/)
  assert.match(refusal('notify:\n  receivers:\n    - name: a\n      chanels: []\n'), /^andon\.yaml:4: notify\.receivers/)
  assert.equal(refusal('notify: { receivers: [{ name: a, channels: [{ slack: { webhook_url: { env: ANDON_NO_SUCH_SECRET } } }] }] }\n'), 'was accepted')
  assert.match(refusal('log_level: loud\n'), /debug, info, warn, error/)
})

test('retention: errors and profiles are kept as spans unless they are named; sums that would expire before what they sum up are refused at their line', () => {
  const { retention } = readOptions({ file: write('retention:\n  spans_days: 30\n  profiles_days: 3\n') })
  assert.deepEqual(retention, { rawDays: 15, spansDays: 30, errorsDays: 30, profilesDays: 3, rollupDays: 90, longDays: 400 })
  assert.equal(refusal('retention:\n  raw_days: 30\n  rollup_days: 20\n'), 'andon.yaml:3: retention.rollup_days (20) must be at least retention.raw_days (30): what is longer ago is read from sums, which must not expire first.')
  assert.match(refusal('retention:\n  raw_days: 100\n'), /^andon\.yaml:2: retention\.rollup_days \(90\) must be at least retention\.raw_days \(100\)/)
  assert.match(refusal('\nretention:\n  rollup_days: 500\n'), /^andon\.yaml:3: retention\.long_days \(400\) must be at least retention\.rollup_days \(500\)/)
  assert.match(refusal('retention:\n  spans_days: 500\n  rollup_days: 600\n  long_days: 600\n  profiles_days: 700\n'), /^andon\.yaml:3: retention\.rollup_days \(600\) must be at least retention\.profiles_days \(700\)/)
  for (const days of ['0', '-1', '3651', '1.5', 'seven', '']) assert.match(refusal(`retention:\n  errors_days: ${days}\n`), /^andon\.yaml:2: retention\.errors_days must be a whole number from 1 to 3650/)
})

test('the disk: its options are read, and nonsense is refused', () => {
  const { disk } = readOptions({ file: write('disk:\n  when_full: refuse\n  used_percent: 80\n') })
  assert.deepEqual(disk, { ...defaultDisk, whenFull: 'refuse', usedPercent: 80 })
  assert.match(refusal('disk:\n  used_percent: 100\n'), /^andon\.yaml:2: disk\.used_percent must be a whole number from 50 to 99/)
  assert.match(refusal('disk:\n  when_full: panic\n'), /disk\.when_full must be one of drop, refuse/)
  assert.match(refusal('disk:\n  reserve_bytes: 0\n'), /disk\.reserve_bytes must be/)
})

test('flags and variables are named when they are wrong', () => {
  assert.throws(() => readOptions({ file: write(''), flags: { 'listen.port': 'x' } }), /--port: listen\.port must be/)
  assert.throws(() => readOptions({ file: write(''), env: { ANDON_PORT: 'x' } }), /ANDON_PORT: listen\.port must be/)
  assert.throws(() => readOptions({ file: join(folder, 'absent.yaml') }), /There is no configuration file/)
})

test('tokens come from hashes, files and the environment, and are kept as hashes only', () => {
  const secret = 'a-secret-of-some-length'
  writeFileSync(join(folder, 'token'), `${secret}\n`)
  const file = write(`tokens:\n  - {name: a, role: viewer, file: ${join(folder, 'token')}}\n  - {name: b, role: ingest, sha256: "${'0'.repeat(64)}"}\n`)
  const { tokens } = readOptions({ file, env: { ANDON_TOKEN: secret } })
  assert.deepEqual(tokens, [
    { name: 'a', role: 'viewer', sha256: hashToken(secret) },
    { name: 'b', role: 'ingest', sha256: '0'.repeat(64) },
    { name: 'ANDON_TOKEN', role: 'admin', sha256: hashToken(secret) },
  ])
  assert.throws(() => readOptions({ file: write(''), env: { ANDON_TOKEN: 'short' } }), /shorter than 16/)
})

test('a ClickHouse server is named by its address alone; its password comes from the environment or a file, and no error tells it', () => {
  const secret = 'a-password-of-tests'
  const [passwords, ca] = [join(folder, 'password'), join(folder, 'ca.pem')]
  writeFileSync(passwords, `${secret}\n`)
  writeFileSync(ca, '-----BEGIN CERTIFICATE-----\n')
  const env = { CLICKHOUSE_URL: 'https://db.example.com:8443/', CLICKHOUSE_USER: 'obs', CLICKHOUSE_PASSWORD: secret, CLICKHOUSE_DATABASE: 'obs', CLICKHOUSE_CLUSTER: 'main-1', CLICKHOUSE_CA_FILE: ca, CLICKHOUSE_LOST_SHARDS: 'skip' }
  const named = { url: 'https://db.example.com:8443', user: 'obs', password: secret, database: 'obs', cluster: 'main-1', ca: readFileSync(ca), lostShards: 'skip' }
  assert.deepEqual(readOptions({ file: write(''), env }).clickhouse, named)
  const yaml = write(`store:\n  url: http://db:8123\n  password_file: ${passwords}\n`)
  assert.deepEqual(readOptions({ file: yaml }).clickhouse, { url: 'http://db:8123', user: 'default', password: secret, database: 'andon', cluster: undefined, ca: undefined, lostShards: 'fail' })
  assert.equal(readOptions({ file: write(''), env: { CLICKHOUSE_PASSWORD: secret, CLICKHOUSE_USER: 'obs' } }).clickhouse, undefined)
  const wrong: [Record<string, string>, RegExp][] = [
    [{ ...env, CLICKHOUSE_URL: `http://obs:${secret}@db:8123` }, /^CLICKHOUSE_URL: store\.url must be http:/],
    [{ ...env, CLICKHOUSE_URL: `http://db:8123/?password=${secret}` }, /store\.url must be/],
    [{ ...env, CLICKHOUSE_URL: 'db:8123' }, /store\.url must be/],
    [{ ...env, CLICKHOUSE_DATABASE: 'a; DROP' }, /store\.database must be a name/],
    [{ ...env, CLICKHOUSE_CLUSTER: "a'b" }, /store\.cluster must be a name/],
    [{ ...env, CLICKHOUSE_CA_FILE: passwords }, /holds no certificate/],
    [{ ...env, CLICKHOUSE_PASSWORD_FILE: passwords }, /given twice/],
    [{ ...env, CLICKHOUSE_PASSWORD_FILE: join(folder, 'absent') }, /password file .* cannot be read/],
    [{ CLICKHOUSE_CLUSTER: 'main' }, /needs the address/],
  ]
  for (const [each, message] of wrong) {
    assert.throws(() => readOptions({ file: write(''), env: each }), (error) => error instanceof AndonError && error.code === 'bad_config' && message.test(error.message) && !`${error.message}${error.hint}`.includes(secret))
  }
})

test('limits and retention can be set one by one', () => {
  const { limits, retention } = readOptions({ file: write('limits:\n  body_bytes: 5\nretention:\n  spans_days: 3\n') })
  assert.deepEqual(limits, { ...defaultLimits, bodyBytes: 5 })
  assert.equal(retention.spansDays, 3)
  assert.equal(retention.rawDays, 15)
})

test('docs/reference/options.md lists every option with its variable, flag and default', () => {
  const page = readFileSync(join(root, 'docs/reference/options.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  assert.deepEqual(
    rows.map((row) => row.split('|').slice(1, 5).map((one) => one.trim())),
    OPTIONS.map((option) => [cell(option.name), cell(option.env), cell(option.flag), cell(option.default)]),
  )
})
