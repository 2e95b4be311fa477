// `npm start`: Andon, the kanban that it watches, and a team at work on the kanban.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Child } from './child.ts'

const root = resolve(import.meta.dirname, '../..')
const begun = Date.now()

const usage = `npm start -- [options]
  --port N          Andon's port               (ANDON_PORT, 4318)
  --host H          Andon's address            (ANDON_HOST, 127.0.0.1)
  --data-dir D      where all data are kept    (ANDON_DATA_DIR, .andon)
  --kanban-port N   the kanban's port          (KANBAN_PORT, 3000)
  --rate N          requests per second of the team's traffic (5)
  --no-traffic      start no traffic
  --no-kanban       start neither kanban nor traffic
`

interface Settings {
  readonly port: string
  readonly host: string
  readonly dataDir: string
  readonly kanbanPort: string
  readonly rate: string
  readonly traffic: boolean
  readonly kanban: boolean
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${usage}`)
  process.exit(2)
}

function portNumber(name: string, text: string): string {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) refuse(`${name} must be a whole number from 0 to 65535, not "${text}".`)
  return text
}

function number(name: string, text: string, low: number, high: number): string {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < low || value > high) refuse(`${name} must be a number from ${low} to ${high}, not "${text}".`)
  return text
}

function readFlags(): Record<string, string | boolean | undefined> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { port: text, host: text, 'data-dir': text, 'kanban-port': text, rate: text, 'no-traffic': flag, 'no-kanban': flag, help: flag }
  try {
    return parseArgs({ options }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}

function settings(): Settings {
  const flags = readFlags()
  if (flags['help'] === true) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const pick = (flag: string, variable: string, otherwise: string): string => String(flags[flag] ?? process.env[variable] ?? otherwise)
  const kanban = flags['no-kanban'] !== true
  return {
    port: portNumber('--port (ANDON_PORT)', pick('port', 'ANDON_PORT', '4318')),
    host: pick('host', 'ANDON_HOST', '127.0.0.1'),
    dataDir: resolve(root, pick('data-dir', 'ANDON_DATA_DIR', '.andon')),
    kanbanPort: portNumber('--kanban-port (KANBAN_PORT)', pick('kanban-port', 'KANBAN_PORT', '3000')),
    rate: number('--rate', pick('rate', 'KANBAN_TRAFFIC_RATE', '5'), 0.1, 1000),
    traffic: kanban && flags['no-traffic'] !== true,
    kanban,
  }
}

const chosen = settings()
const children: Child[] = []
let stopping = false

async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  process.stderr.write('\nStopping: traffic, then the kanban, then Andon …\n')
  // The last started first, so that what the kanban still has to send finds Andon alive.
  for (const child of children.toReversed()) await child.stop()
  process.stderr.write('Stopped. The data are kept; `npm start` goes on with them.\n')
  process.exit(code)
}

function run(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = new Child({
    name,
    args,
    env,
    onExit: (who, code, lastWords) => {
      if (stopping) return
      process.stderr.write(`\n${who} ended${code === null ? '' : ` with code ${code}`}. Its last words:\n${lastWords}\n`)
      void stop(1)
    },
  })
  children.push(child)
  return child
}

const link = (line: string): string => /https?:\/\/\S+/.exec(line)?.[0] ?? line

async function startAndon(): Promise<string> {
  const main = resolve(root, 'packages/cli/dist/main.js')
  const flags = ['--port', chosen.port, '--host', chosen.host, '--data-dir', resolve(chosen.dataDir, 'server')]
  const andon = run('Andon', [main, 'serve', ...flags])
  return link(await andon.line(/listening on http/))
}

/** Ends with a clear word when the kanban's port is taken. */
async function checkKanbanPort(): Promise<void> {
  const port = Number(chosen.kanbanPort)
  const probe = createServer().listen(port, '127.0.0.1')
  try {
    await once(probe, 'listening')
    probe.close()
  } catch {
    const { findPortHolder } = await import('@andon/server')
    const holder = await findPortHolder(port)
    process.stderr.write(
      `\nThe kanban cannot listen: port ${port} of 127.0.0.1 is held by ${holder === undefined ? 'another process' : `process ${holder.pid} (${holder.command})`}.
Stop it, or choose another port: --kanban-port ${port + 1} or KANBAN_PORT=${port + 1}.\n`,
    )
    await stop(1)
  }
}

/** A server with a token takes nothing without it, from the kanban neither. */
function authorization(): Readonly<Record<string, string>> {
  const { ANDON_TOKEN: text = '', ANDON_TOKEN_FILE: file = '' } = process.env
  // Andon has read the file already, or it would not have started.
  const token = text !== '' || file === '' ? text : readFileSync(file, 'utf8').trim()
  return token === '' ? {} : { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(`Bearer ${token}`)}` }
}

async function startKanban(andon: string): Promise<string> {
  const register = resolve(root, 'packages/agent/dist/register.js')
  const main = resolve(root, 'apps/kanban/dist/main.js')
  const kanban = run('The kanban with its PostgreSQL', ['--import', register, main], {
    KANBAN_PORT: chosen.kanbanPort,
    KANBAN_DATA_DIR: resolve(chosen.dataDir, 'kanban'),
    OTEL_SERVICE_NAME: 'kanban',
    OTEL_EXPORTER_OTLP_ENDPOINT: andon,
    ...authorization(),
  })
  return link(await kanban.line(/listening on http/))
}

function memory(): string {
  const parts = children.flatMap(({ name, memoryBytes }) => (memoryBytes === undefined ? [] : [`${name} ${Math.round(memoryBytes / 1024 / 1024)} MiB`]))
  return parts.length === 0 ? 'not told by this system' : parts.join(', ')
}

async function start(): Promise<void> {
  process.stderr.write('Starting Andon …\n')
  const andon = await startAndon()
  let kanban: string | undefined
  if (chosen.kanban) {
    process.stderr.write('Starting the kanban and its PostgreSQL …\n')
    await checkKanbanPort()
    kanban = await startKanban(andon)
  }
  // Before the traffic, which has hardly begun to run.
  const used = memory()
  if (kanban !== undefined) {
    if (chosen.traffic) run('Traffic', [resolve(root, 'apps/kanban/dist/traffic.js'), '--url', kanban, '--rate', chosen.rate])
  }
  process.stdout.write(
    `
  Andon       ${andon}     dashboard, APIs and OTLP/HTTP on this one port
  Kanban      ${kanban === undefined ? 'not started (--no-kanban)' : `${kanban}     log in as demo / demo`}
  Traffic     ${chosen.traffic ? `${chosen.rate} requests/s, a team at work` : 'none'}
  Data        ${chosen.dataDir}
  Memory      ${used}
  Started in  ${((Date.now() - begun) / 1000).toFixed(1)} s

  Watch your own service:  OTEL_EXPORTER_OTLP_ENDPOINT=${andon} node --import @andon/agent/register server.js
  Stop with Ctrl+C.
`,
  )
}

process.on('SIGINT', () => void stop(0))
process.on('SIGTERM', () => void stop(0))
// The terminal was closed: the children, in groups of their own, would live on and hold the ports. Nobody reads what is said then.
process.on('SIGHUP', () => void stop(0))
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
// A child that ends early is reported, with its last words, by its own onExit.
start().catch(() => undefined)
