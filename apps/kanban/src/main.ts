// The kanban as a program. Its monitoring comes first, by `node --import @andon/agent/register`: an import here would
// be too late.
import { resolve } from 'node:path'
import { createApp } from './app.ts'
import { openDatabase } from './db.ts'
import { Faults, faultsOf, type Wanted } from './faults.ts'
import { Refusal } from './refusal.ts'

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  process.stderr.write(`kanban: KANBAN_PORT must be a port from 0 to 65535, not "${text}".\n`)
  return process.exit(2)
}

/** The faults to begin with; undefined where none may be. */
function wantedFaults(): Wanted | undefined {
  try {
    return faultsOf(process.env)
  } catch (error) {
    process.stderr.write(`kanban: ${error instanceof Refusal ? `${error.message} ${error.hint}` : String(error)}\n`)
    return process.exit(2)
  }
}

async function main(): Promise<void> {
  const wanted = wantedFaults()
  const port = portOf(process.env['KANBAN_PORT'] ?? '3000')
  const host = process.env['KANBAN_HOST'] ?? '127.0.0.1'
  const database = await openDatabase({ url: process.env['DATABASE_URL'], dataDir: resolve(process.env['KANBAN_DATA_DIR'] ?? '.andon/kanban') })
  const faults = wanted === undefined ? undefined : new Faults()
  const app = await createApp(database, faults)
  let stopping = false
  const stop = async (code: number): Promise<void> => {
    if (stopping) return
    stopping = true
    await app.close()
    await database.close()
    process.exitCode = code
  }
  try {
    if (wanted !== undefined) await faults?.replace(wanted)
    await app.listen({ host, port })
  } catch (error) {
    const taken = error instanceof Error && Reflect.get(error, 'code') === 'EADDRINUSE'
    process.stderr.write(taken ? `kanban: port ${port} of ${host} is taken. Choose another with KANBAN_PORT or --kanban-port.\n` : `kanban: ${String(error)}\n`)
    await stop(1)
    return
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(0))
  const address = app.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  process.stdout.write(`kanban: listening on http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${bound}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`kanban: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
