// The agent as it is shipped: few files, and one copy of it however it is loaded.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import * as shipped from '@andon/agent'
import * as shippedRecorder from '@andon/agent/recorder'
import * as own from './index.ts'
import * as recorder from './recorder.ts'

const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...inherited } = process.env
const register = createRequire(import.meta.url).resolve('@andon/agent/register')

function run(args: readonly string[]): string {
  const env = { ...inherited, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args], { env, encoding: 'utf8', timeout: 60_000, cwd: dirname(register) })
  assert.equal(status, 0, stderr)
  return stdout
}

/** Node adds a default to what is CommonJS, and from 23 on the whole of it. */
const namesOf = (module: object): string[] => Object.keys(module).filter((name) => name !== 'default' && name !== 'module.exports').toSorted()

test('the bundle exports all that its sources do', () => {
  assert.deepEqual(namesOf(shipped), namesOf(own))
  assert.deepEqual(namesOf(shippedRecorder), namesOf(recorder))
})

const SAME = `
const running = globalThis[Symbol.for('andon.agent')]
console.log(running !== undefined, agent.start() === running, agent.getMonitor() === running.monitor, required === agent.start)
`

test('what a program imports or requires is the agent that runs', () => {
  const answer = 'true true true true\n'
  assert.equal(run(['--import', `file://${register}`, '--input-type=module', '-e', `import { createRequire } from 'node:module'\nimport * as agent from '@andon/agent'\nconst required = createRequire(import.meta.url)('@andon/agent').start${SAME}`]), answer)
  assert.equal(run(['--require', register, '--input-type=commonjs', '-e', `const agent = require('@andon/agent')\nimport('@andon/agent').then(({ start: required }) => {${SAME}})`]), answer)
})

test('a start loads no file but the bundle, and no library of an instrumentation', () => {
  const loaded: unknown = JSON.parse(run(['--require', register, '--input-type=commonjs', '-e', 'console.log(JSON.stringify(Object.keys(require.cache)))']))
  const files = readdirSync(dirname(register)).map((name) => join(dirname(register), name))
  assert.ok(Array.isArray(loaded) && loaded.length <= 3, JSON.stringify(loaded))
  assert.deepEqual(loaded.filter((path) => !files.includes(path)), [])
})
