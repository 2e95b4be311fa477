// What `npm start` starts, once everything is built: told, answering, and gone when it is asked to end.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { eventually } from './eventually.ts'
import { root } from './repository/root.ts'

interface Started {
  readonly child: ChildProcess
  readonly output: () => string
}

function start(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-start-'))
  const child = spawn(process.execPath, ['scripts/dist/start.js', '--data-dir', dataDir, ...args], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await closed
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  })
  const lines: string[] = []
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', (line) => lines.push(line))
  return { child, output: () => lines.join('\n') }
}

function fileOf(t: TestContext, token: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'andon-token-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'token')
  writeFileSync(path, `${token}\n`)
  return path
}

const addressOf = (text: string, name: string): string => new RegExp(`${name} +(http://127\\.0\\.0\\.1:\\d+)`).exec(text)?.[1] ?? assert.fail(`no address of ${name} in:\n${text}`)

async function isGone(url: string): Promise<true | undefined> {
  return await fetch(url).then(
    () => undefined,
    () => true,
  )
}

const SECRET = 'a-token-of-thirty-two-characters'

for (const [signal, token, from] of [['SIGINT', '', 'without a token'], ['SIGHUP', SECRET, 'with a token'], ['SIGTERM', SECRET, 'with a token in a file']] as const) {
  test(`all is started and told, ${from}; ${signal} ends all of it`, { timeout: 120_000 }, async (t) => {
    const { child, output } = start(t, ['--port', '0', '--kanban-port', '0', '--rate', '20'], from.endsWith('file') ? { ANDON_TOKEN: '', ANDON_TOKEN_FILE: fileOf(t, token) } : { ANDON_TOKEN: token })
    await eventually('the last line', async () => (output().includes('Stop with Ctrl+C') ? true : undefined))
    for (const word of ['Data ', 'Memory ', 'Traffic ', 'demo / demo']) assert.ok(output().includes(word), `no "${word}" in:\n${output()}`)
    const andon = addressOf(output(), 'Andon')
    const kanban = addressOf(output(), 'Kanban')
    await eventually('the team at work', async () => {
      const answer = await fetch(`${andon}/api/v1/query?query=${encodeURIComponent('sum(kanban_operations_total) > 0')}`, { headers: { authorization: `Bearer ${token}` } })
      const { data } = (await answer.json()) as { data: { result: readonly unknown[] } }
      return data.result.length > 0 ? true : undefined
    })
    child.kill(signal)
    const [code] = await once(child, 'close')
    assert.equal(code, 0, output())
    assert.match(output(), /Stopped\. The data are kept/)
    assert.deepEqual(await Promise.all([isGone(`${andon}/healthz`), isGone(`${kanban}/healthz`)]), [true, true])
  })
}

test('what cannot be started says why and how to choose otherwise', { timeout: 60_000 }, async (t) => {
  const cases: readonly (readonly [args: readonly string[], env: Readonly<Record<string, string>>, code: number, words: RegExp])[] = [
    [['--bogus'], {}, 2, /Unknown option '--bogus'[^]*--kanban-port N/],
    [[], { ANDON_PORT: '70000' }, 2, /--port \(ANDON_PORT\) must be a whole number from 0 to 65535, not "70000"/],
    [['--host', '0.0.0.0', '--port', '0', '--no-kanban'], { ANDON_TOKEN: '' }, 1, /will not listen on 0\.0\.0\.0 without a token[^]*Set ANDON_TOKEN/],
  ]
  for (const [args, env, expected, words] of cases) {
    const { child, output } = start(t, args, env)
    const [code] = await once(child, 'close')
    assert.deepEqual([code, words.test(output())], [expected, true], output())
  }
})
