// What the corpus is recorded of: Andon, the kanban with its PostgreSQL and the agent, and a team at work on it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { root } from '../../repository/root.ts'

export interface StandOptions {
  /** Requests per second. */
  readonly load: number
  readonly seed: number
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
}

/** How often the agent sends: three times in a slice. */
const EXPORT_MS = 5000
/** The team's pace goes up and down once in so many minutes. */
const DAY_MINUTES = 240

function begin(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, DATABASE_URL: _database, KANBAN_FAULTS: _faults, ...inherited } = process.env
  // In a group of its own: Ctrl+C ends the recording, which ends them in their order.
  return spawn(process.execPath, [...args], { cwd: root, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
}

async function listening(child: ChildProcess): Promise<Running> {
  const lines: string[] = []
  child.stderr?.resume()
  if (child.stdout === null) throw new Error('a program without output')
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`a program ended with ${String(code)}: ${lines.join('\n')}`)))
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (lines.length < 50) lines.push(line)
      const found = /listening on (https?:\/\/[^\s"]+)/.exec(line)?.[1]
      if (found !== undefined) resolve(found)
    })
  })
  return { child, url }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000)
  child.kill('SIGTERM')
  await closed
  clearTimeout(timer)
}

/** The running programs. Owns their folders, which go with them. */
export class Stand {
  /** Andon's address. */
  readonly andon: string
  readonly #kanban: string
  readonly #children: readonly ChildProcess[]
  readonly #folder: string
  #cookie = ''

  private constructor(andon: string, kanban: string, children: readonly ChildProcess[], folder: string) {
    this.andon = andon
    this.#kanban = kanban
    this.#children = children
    this.#folder = folder
  }

  /** @throws Error when a program ends before it listens */
  static async start({ load, seed }: StandOptions): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'andon-corpus-'))
    const children: ChildProcess[] = []
    const run = (args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess => {
      const child = begin(args, env)
      children.push(child)
      return child
    }
    try {
      const andon = await listening(run([join(root, 'packages/server/dist/main.js'), '--port', '0', '--data-dir', join(folder, 'server'), '--log-level', 'error'], { ANDON_GRPC_PORT: 'off' }))
      const kanban = await listening(
        run(['--import', join(root, 'packages/agent/dist/register.js'), join(root, 'apps/kanban/dist/main.js')], {
          KANBAN_PORT: '0',
          KANBAN_DATA_DIR: join(folder, 'kanban'),
          KANBAN_FAULTS_ENABLED: '1',
          OTEL_SERVICE_NAME: 'kanban',
          OTEL_EXPORTER_OTLP_ENDPOINT: andon.url,
          OTEL_METRIC_EXPORT_INTERVAL: String(EXPORT_MS),
        }),
      )
      const traffic = run([join(root, 'apps/kanban/dist/traffic.js'), '--url', kanban.url, '--rate', String(load), '--seed', String(seed), '--day', String(DAY_MINUTES)], {})
      for (const stream of [traffic.stdout, traffic.stderr]) stream?.resume()
      return new Stand(andon.url, kanban.url, children, folder)
    } catch (error) {
      for (const child of children.toReversed()) await end(child)
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
      throw error
    }
  }

  /** Why the recording cannot go on; undefined while all run. */
  get broken(): string | undefined {
    const gone = this.#children.findIndex(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)
    return gone < 0 ? undefined : `${['Andon', 'the kanban', 'the traffic'][gone] ?? 'a program'} ended`
  }

  async #logIn(): Promise<void> {
    const answer = await fetch(`${this.#kanban}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'demo', password: 'demo' }), signal: AbortSignal.timeout(10_000) })
    await answer.arrayBuffer()
    this.#cookie = (answer.headers.get('set-cookie') ?? '').split(';', 1)[0] ?? ''
  }

  /**
   * Puts on faults, which end by themselves after some seconds, or takes off all.
   *
   * @throws Error when the kanban refuses, or does not answer within two minutes
   */
  async setFaults(faults: Readonly<Record<string, number>>, seconds: number): Promise<void> {
    let last = ''
    for (const until = performance.now() + 120_000; performance.now() < until; await wait(500)) {
      try {
        if (this.#cookie === '') await this.#logIn()
        const headers = { cookie: this.#cookie, 'content-type': 'application/json', connection: 'close' }
        const answer = await fetch(`${this.#kanban}/api/admin/faults`, { method: 'PUT', headers, body: JSON.stringify({ faults, seconds }), signal: AbortSignal.timeout(60_000) })
        last = `${answer.status} ${await answer.text()}`
        if (answer.ok) return
      } catch (error) {
        // A fault that strikes everybody strikes this too: it is tried again, and the fault ends by itself.
        last = String(error)
      }
    }
    throw new Error(`the kanban did not take its faults: ${last}`)
  }

  /** Ends the traffic, the kanban and Andon, and removes what they stored. */
  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await end(child)
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
