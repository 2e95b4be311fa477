// The server of a measurement that does everything except what it should: HOSTILE names the way, as the agent's tests do.
import { pathToFileURL } from 'node:url'
import { join, resolve } from 'node:path'
import type { Socket } from 'node:net'

interface HostileServers {
  readonly HOSTILE: Readonly<Record<string, (socket: Socket) => void>>
  readonly startHostile: (behave: (socket: Socket) => void) => Promise<{ readonly port: number }>
}

// The same servers as in the agent's tests, which do not belong to what it ships.
const file = join(resolve(import.meta.dirname, '../../../..'), 'packages/agent/dist/hostile-servers.test.js')
const { HOSTILE, startHostile }: HostileServers = await import(pathToFileURL(file).href)
const behave = HOSTILE[process.env['HOSTILE'] ?? '']
if (behave === undefined) throw new Error(`no such server: ${process.env['HOSTILE'] ?? ''}`)
const { port } = await startHostile(behave)
process.send?.({ port })
