// Ingest of spans end to end: OTLP over HTTP from a process of its own, answered when stored, and counted in the store afterwards.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, type MeasureOptions, startSender } from '@andon/bench'
import { type Block, blockHead, blockRow, loadBlock, peakMib, perSecond, verdict } from '../server/load.ts'
import { startAndon } from '../server/programs.ts'
import { numberOf } from '../server/stored.ts'
import { threadCpu, threadText } from '../server/threads.ts'

const PROCESSES = 64
const CONNECTIONS = 32
const GOAL = 60_000
const MEMORY_GOAL_MIB = 1024

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const forMs = options.isQuick ? 1500 : 10_000
  const sender = startSender()
  const server = await startAndon(folder)
  try {
    const job = { name: 'spans', url: `${server.url}/v1/traces`, load: { kind: 'spans', processes: PROCESSES }, connections: CONNECTIONS, untilTurn: Number.MAX_SAFE_INTEGER } as const
    const first = await loadBlock(sender, server, { ...job, forMs: forMs / 2 })
    const blocks: Block[] = []
    const began = threadCpu(server.pid)
    for (let round = 0; round < options.rounds; round += 1) blocks.push(await loadBlock(sender, server, { ...job, forMs }))
    const threads = threadText(began, threadCpu(server.pid), { what: 'a thousand spans', count: blocks.reduce((sum, { sent }) => sum + sent.items, 0) / 1000 })
    await server.stop()
    const acknowledged = [first, ...blocks].reduce((sum, { sent }) => sum + sent.items, 0)
    const stored = numberOf(folder, 'SELECT count() FROM andon.spans')
    if (stored !== acknowledged) throw new Error(`${acknowledged} spans were acknowledged, ${stored} are stored`)
    return [
      `### Ingest of spans over OTLP/HTTP`,
      '',
      ...blockHead('spans'),
      blockRow('Andon', blocks),
      '',
      verdict('Spans per second', GOAL, blocks.map(perSecond), true),
      verdict('Largest resident MiB', MEMORY_GOAL_MIB, blocks.map(peakMib), false),
      '',
      threads,
      '',
      `${blocks.length} blocks of ${forMs / 1000} s after one that warms up, as fast as ${CONNECTIONS} connections are answered; requests of 512 spans in protobuf, not compressed, half with what our agent records and half with what OpenTelemetry's SDK does, of ${PROCESSES} processes of 8 services, times and ids new in each; sender and server share the machine. ` +
        `CPU of the server counts until it rests after a block, merging included. Middle of the blocks, with smallest and largest. All ${acknowledged.toLocaleString('en')} acknowledged spans were found in the store after the end.`,
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    await sender.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
