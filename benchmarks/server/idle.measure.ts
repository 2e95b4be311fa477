// What a server costs that has nothing to do: empty, and with a history.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuOf, machine, type MeasureOptions, residentOf, startSender, untilQuiet } from '@andon/bench'
import { type Server, startAndon } from './programs.ts'
import { threadCpu, threadText } from './threads.ts'

const CPU_GOAL = 0.01
const MEMORY_GOAL_MIB = 350
const REST_MS = 30_000
const MIB = 2 ** 20

interface Idle {
  readonly name: string
  readonly share: number
  readonly mib: number
  readonly threads: string
}

async function idle(name: string, server: Server, seconds: number): Promise<Idle> {
  const before = cpuOf(server.pid)
  const began = threadCpu(server.pid)
  const begun = performance.now()
  await wait(seconds * 1000)
  return { name, share: (cpuOf(server.pid) - before) / (performance.now() - begun), mib: residentOf(server.pid) / MIB, threads: threadText(began, threadCpu(server.pid), { what: 'a second', count: seconds }) }
}

const row = ({ name, share, mib }: Idle): string => `| ${name} | ${(share * 100).toFixed(2)} % | ${share <= CPU_GOAL ? 'kept' : 'missed'} | ${mib.toFixed(0)} | ${mib <= MEMORY_GOAL_MIB ? 'kept' : 'missed'} |`

/** Some minutes of a fleet: about a million samples and a quarter of a million spans. */
async function fill(server: Server): Promise<void> {
  const sender = startSender()
  const untilTurn = 25
  const turns = { fromMs: Date.now() - untilTurn * 15_000, stepMs: 15_000 }
  await sender.send({ name: 'samples', url: `${server.url}/v1/metrics`, load: { kind: 'samples', form: 'otlp', processes: 400, turns }, connections: 2, forMs: 60_000, untilTurn })
  await sender.send({ name: 'spans', url: `${server.url}/v1/traces`, load: { kind: 'spans', processes: 64 }, connections: 2, forMs: 60_000, untilTurn: 8 })
  await sender.stop()
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const seconds = options.isQuick ? 5 : 60
  let server = await startAndon(folder)
  try {
    // The start is no idleness.
    await wait(5000)
    const found = [await idle('just started, empty', server, seconds)]
    await fill(server)
    await untilQuiet(server.pid, REST_MS)
    found.push(await idle('after a million samples and a quarter of a million spans', server, seconds))
    await server.stop()
    server = await startAndon(folder)
    await wait(5000)
    found.push(await idle('the same data, started anew', server, seconds))
    return [
      '### A server that has nothing to do',
      '',
      '| | share of one core | goal 1 % | resident MiB | goal 350 MiB |',
      '|---|---|---|---|---|',
      ...found.map(row),
      '',
      ...found.flatMap(({ name, threads }) => (threads === '' ? [] : [`${name[0]?.toUpperCase() ?? ''}${name.slice(1)}. ${threads}`, ''])),
      `${seconds} s each; no agent sends, no page is open.`,
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
