import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { root } from './repository/root.ts'

const readyWithin = 60_000
/** How the programs of a test are ended. */
const ends = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

/** A folder for the data of a test's programs, removed when all of them have ended, also those that are started later. */
export function dataFolder(t: TestContext, prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix))
  t.after(async () => {
    await Promise.all((ends.get(t) ?? []).map((end) => end()))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  })
  return folder
}

/** A program of ours as a child, for tests that cross processes. */
export interface Program {
  /** The address it said it listens on. */
  readonly url: string
  /** Ends it as an operator would, and waits. */
  stop(): Promise<number | null>
  /** Ends it as a power cut would, and waits. */
  kill(): Promise<void>
}

/**
 * Starts a compiled program and waits until it says that it listens. It is killed when the test ends.
 *
 * @param args - arguments of node, with paths relative to the repository
 * @throws Error with its output when it ends, or says nothing for a minute
 */
export async function startProgram(t: TestContext, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const child = spawn(process.execPath, [...args], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await closed
    return child.exitCode
  }
  ends.set(t, [...(ends.get(t) ?? []), () => end('SIGKILL')])
  t.after(() => end('SIGKILL'))
  const lines: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within a minute:\n${lines.join('\n')}`)), readyWithin)
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        lines.push(line)
        const found = /listening on (https?:\/\/[^\s"]+)/.exec(line)?.[1]
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      })
    }
    child.on('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`ended with ${String(code)}:\n${lines.join('\n')}`))
    })
  })
  return {
    url,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL')
    },
  }
}

/** The kanban with its PostgreSQL and our agent, sending to `andon` twice a second. */
export function startKanban(t: TestContext, dataDir: string, andon: string): Promise<Program> {
  return startProgram(t, ['--import', join(root, 'packages/agent/dist/register.js'), 'apps/kanban/dist/main.js'], {
    KANBAN_PORT: '0',
    KANBAN_DATA_DIR: dataDir,
    OTEL_SERVICE_NAME: 'kanban',
    OTEL_EXPORTER_OTLP_ENDPOINT: andon,
    OTEL_METRIC_EXPORT_INTERVAL: '500',
  })
}
