// The servers that are compared, each a process of its own in a folder of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** The repository; this file runs from benchmarks/dist/server. */
export const root: string = resolve(import.meta.dirname, '../../..')

const START_MS = 60_000
const STOP_MS = 30_000

export interface Server {
  readonly name: string
  readonly url: string
  readonly pid: number
  /** Where its data lie. */
  readonly folder: string
  /** Ends it as an operator would, and waits. Harmless when called again. */
  stop(): Promise<void>
}

function stopper(child: ChildProcess): () => Promise<void> {
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
    clearTimeout(timer)
  }
}

/** The first line that tells an address. @throws Error with the last lines when the program ends, or tells none for a minute */
async function addressOf(child: ChildProcess): Promise<string> {
  const lines: string[] = []
  return await new Promise((tell, fail) => {
    const timer = setTimeout(() => fail(new Error(`not ready within a minute:\n${lines.join('\n')}`)), START_MS)
    for (const input of [child.stdout, child.stderr]) {
      if (input === null) continue
      createInterface({ input }).on('line', (line) => {
        lines.push(line)
        if (lines.length > 20) lines.shift()
        const url = /listening on (https?:\/\/[^\s"]+)/.exec(line)?.[1]
        if (url === undefined) return
        clearTimeout(timer)
        tell(url)
      })
    }
    child.on('close', (code) => {
      clearTimeout(timer)
      fail(new Error(`ended with ${String(code)}:\n${lines.join('\n')}`))
    })
  })
}

/** Starts Andon on a folder, which is made when it is not there. */
export async function startAndon(folder: string, env: Readonly<Record<string, string>> = {}): Promise<Server> {
  const args = [join(root, 'packages/server/dist/main.js'), '--port', '0', '--data-dir', folder, '--log-level', 'warn']
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ANDON_GRPC_PORT: 'off', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const url = await addressOf(child)
  return { name: 'Andon', url, pid: child.pid ?? 0, folder, stop: stopper(child) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

const program = join(root, 'node_modules/.cache/prometheus/usr/bin/prometheus')

/** Whether there is a Prometheus, which is fetched from Debian's packages where that can be done. */
export async function hasPrometheus(): Promise<boolean> {
  const { installPrometheus }: { readonly installPrometheus: (root: string) => void } = await import(new URL('../../../scripts/dist/install-prometheus.js', import.meta.url).href)
  installPrometheus(root)
  return existsSync(program)
}

/** Such as "Prometheus 2.53.3". */
export function prometheusVersion(): string {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return `Prometheus ${/version (\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1] ?? 'of unknown version'}`
}

/** Starts Prometheus, which takes remote write and scrapes nothing. */
export async function startPrometheus(folder: string): Promise<Server> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'prometheus.yml'), 'global: {scrape_interval: 1h}\n')
  const port = await freePort()
  const data = join(folder, 'data')
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${data}`,
    '--storage.tsdb.retention.time=30d',
    `--web.listen-address=127.0.0.1:${port}`,
    '--web.enable-remote-write-receiver',
    '--web.enable-admin-api',
    '--enable-feature=native-histograms',
    '--log.level=error',
  ]
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const url = `http://127.0.0.1:${port}`
  const until = performance.now() + START_MS
  const isReady = async (): Promise<boolean> => (await fetch(`${url}/-/ready`).catch(() => undefined))?.status === 200
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > until) throw new Error('Prometheus did not start')
    await wait(100)
  }
  return { name: prometheusVersion(), url, pid: child.pid ?? 0, folder: data, stop: stopper(child) }
}
