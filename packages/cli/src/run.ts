import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CommandError, EXIT } from './exit.ts'

export interface RunFlags {
  readonly url: string
  readonly service?: string
  /** Where a server that this starts keeps its data. */
  readonly dataDir?: string
}

const STARTING_MS = 60_000

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) }).then(
    (response) => response.ok,
    () => false,
  )
}

/** Starts a server of our own on the port of `url` and waits until it answers. */
async function startServer(url: string, dataDir: string | undefined): Promise<ChildProcess> {
  const port = new URL(url).port || '80'
  const main = fileURLToPath(new URL('main.js', import.meta.url))
  const server = spawn(process.execPath, [main, 'serve', '--port', port, ...(dataDir === undefined ? [] : ['--data-dir', dataDir])], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl+C goes to a whole process group: the program has its last spans to send before the server may end.
    detached: true,
  })
  let last = ''
  server.stderr.on('data', (chunk: Buffer) => (last = `${last}${chunk.toString()}`.slice(-2000)))
  const deadline = Date.now() + STARTING_MS
  while (Date.now() < deadline) {
    if (server.exitCode !== null) throw new CommandError(EXIT.problem, `The server could not start:\n${last}`)
    if (await answers(url)) return server
    await sleep(100)
  }
  server.kill()
  throw new CommandError(EXIT.unreachable, `The server did not answer at ${url} within ${STARTING_MS / 1000} s.`)
}

/** The environment in which Node loads the agent before the program. */
export function agentEnvironment(env: NodeJS.ProcessEnv, register: string, { url, service }: RunFlags): NodeJS.ProcessEnv {
  return {
    ...env,
    NODE_OPTIONS: [env['NODE_OPTIONS'] ?? '', `--import ${register}`].join(' ').trim(),
    OTEL_EXPORTER_OTLP_ENDPOINT: env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? url,
    ...(service === undefined ? {} : { OTEL_SERVICE_NAME: service }),
  }
}

/**
 * Runs a program with the agent attached; where no server answers at `url` and it is this machine's, one is started beside it and
 * stopped after it.
 *
 * @returns the program's exit code
 */
export async function run(command: readonly string[], flags: RunFlags): Promise<number> {
  const [program, ...args] = command
  if (program === undefined) throw new CommandError(EXIT.usage, 'Say what to run: andon run -- node app.js')
  const register = import.meta.resolve('@andon/agent/register')
  let server: ChildProcess | undefined
  if (!(await answers(flags.url))) {
    if (!/^https?:\/\/(127\.|localhost|\[::1\])/.test(flags.url)) throw new CommandError(EXIT.unreachable, `Andon does not answer at ${flags.url}.`)
    process.stderr.write(`No server answers at ${flags.url}: starting one.\n`)
    server = await startServer(flags.url, flags.dataDir)
  }
  process.stderr.write(`Dashboard: ${flags.url}\n`)
  const child = spawn(program, args, { stdio: 'inherit', env: agentEnvironment(process.env, register, flags) })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward)
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      // As a shell tells the end by a signal.
      child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    })
  } catch (error) {
    throw new CommandError(EXIT.problem, `${program} could not be started: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    if (server !== undefined && server.exitCode === null) {
      server.kill()
      await once(server, 'exit')
    }
  }
}
