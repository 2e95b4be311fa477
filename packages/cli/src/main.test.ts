import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { once } from 'node:events'

const main = join(import.meta.dirname, 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'andon-cli-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function andon(...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: folder })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, err }
}

test('exit codes: 0 ok, 1 a problem found, 2 wrong usage, 3 nobody there; data on stdout, messages on stderr', async () => {
  const version = await andon('--version')
  assert.equal(version.code, 0)
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/)
  assert.deepEqual([version.err, (await andon('frobnicate')).code, (await andon('query')).code], ['', 2, 2])
  const unreachable = await andon('query', 'up', '--url', 'http://127.0.0.1:1')
  assert.deepEqual([unreachable.code, unreachable.out], [3, ''])
  assert.match(unreachable.err, /does not answer/)
})

test('check names the line of a mistake and is content with a good file', async () => {
  writeFileSync(join(folder, 'bad.yaml'), 'data_dir: x\nlisten:\n  prot: 1\n')
  writeFileSync(join(folder, 'good.yaml'), 'data_dir: x\n')
  const bad = await andon('check', 'bad.yaml')
  assert.deepEqual([bad.code, bad.out], [1, ''])
  assert.match(bad.err, /bad\.yaml:3: there is no option "listen\.prot"/)
  const good = await andon('check', 'good.yaml')
  assert.deepEqual([good.code, good.out], [0, 'good.yaml: 1 option, all well\n'])
  assert.equal((await andon('check', 'absent.yaml')).code, 2)
})

test('serve says where it listens, answers, and ends properly when asked', { timeout: 60_000 }, async () => {
  const child = spawn(process.execPath, [main, 'serve', '--port', '0', '--data-dir', join(folder, 'data'), '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder })
  let url = ''
  for await (const line of createInterface(child.stdout)) {
    url = /listening on (\S+)/.exec(line)?.[1] ?? ''
    break
  }
  assert.equal(await (await fetch(`${url}/healthz`)).text(), 'ok\n')
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number]
  assert.equal(code, 0)
})
