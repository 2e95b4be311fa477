// Ingest of samples end to end: OTLP over HTTP into Andon, and the same samples by remote write into Andon and Prometheus.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Job, machine, type MeasureOptions, type Sender, startSender } from '@andon/bench'
import { type Block, blockHead, blockRow, loadBlock, peakMib, perSecond, verdict } from '../server/load.ts'
import { hasPrometheus, prometheusVersion, type Server, startAndon, startPrometheus } from '../server/programs.ts'
import { numberOf } from '../server/stored.ts'
import { type ThreadCpu, threadCpu, threadText } from '../server/threads.ts'

const PROCESSES = 400
const CONNECTIONS = 20
const STEP_MS = 15_000
/** Long enough ago that no block reaches the present. */
const HOURS = 60
const GOAL = 400_000
const MEMORY_GOAL_MIB = 1024

interface Side {
  readonly name: string
  readonly server: Server
  readonly job: Omit<Job, 'forMs'>
  readonly blocks: Block[]
  acknowledged: number
  /** Of which threads the CPU was, as a sentence. */
  threads: string
}

function sideOf(name: string, server: Server, path: string, form: 'otlp' | 'write'): Side {
  const turns = { fromMs: Math.floor(Date.now() / STEP_MS) * STEP_MS - HOURS * 3_600_000, stepMs: STEP_MS }
  return {
    name,
    server,
    job: { name, url: `${server.url}${path}`, load: { kind: 'samples', form, processes: PROCESSES, turns }, connections: CONNECTIONS, untilTurn: (HOURS * 3_600_000) / STEP_MS },
    blocks: [],
    acknowledged: 0,
    threads: '',
  }
}

async function runRounds(sender: Sender, sides: readonly Side[], rounds: number, forMs: number): Promise<void> {
  const began = new Map<number, ThreadCpu>()
  // The first round warms up and is not counted.
  for (let round = -1; round < rounds; round += 1) {
    if (round === 0) for (const { server } of sides) began.set(server.pid, threadCpu(server.pid))
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const block = await loadBlock(sender, side.server, { ...side.job, forMs: round < 0 ? forMs / 2 : forMs })
      side.acknowledged += block.sent.items
      if (round >= 0) side.blocks.push(block)
    }
  }
  for (const side of sides) {
    if (side.server.name === 'Andon') side.threads = threadText(began.get(side.server.pid) ?? new Map(), threadCpu(side.server.pid), { what: 'a thousand samples', count: side.blocks.reduce((sum, { sent }) => sum + sent.items, 0) / 1000 })
  }
}

/** Samples that a running Prometheus says it has appended. */
async function appendedTo({ url }: Server): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^prometheus_tsdb_head_samples_appended_total(?:\{[^}]*\})? (\S+)$/gm)].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** @throws Error when what was acknowledged is not what is stored */
async function checkStored(sides: readonly Side[]): Promise<void> {
  for (const { name, server, acknowledged } of sides) {
    const isPrometheus = server.name !== 'Andon'
    const appended = isPrometheus ? await appendedTo(server) : 0
    await server.stop()
    // Of each resource Andon makes a series of its own, which nobody sent.
    const stored = isPrometheus ? appended : numberOf(server.folder, "SELECT count() FROM andon.samples WHERE id NOT IN (SELECT id FROM andon.series WHERE name = 'target_info')")
    if (stored !== acknowledged) throw new Error(`${name}: ${acknowledged} samples were acknowledged, ${stored} are stored`)
  }
}

function report(sides: readonly Side[], forMs: number): string {
  const [ours] = sides
  const blocks = ours?.blocks ?? []
  return [
    '### Ingest of samples over HTTP',
    '',
    ...blockHead('samples'),
    ...sides.map(({ name, blocks: own }) => blockRow(name, own)),
    '',
    verdict('Samples per second by OTLP', GOAL, blocks.map(perSecond), true),
    verdict('Largest resident MiB', MEMORY_GOAL_MIB, blocks.map(peakMib), false),
    '',
    ...sides.filter(({ threads }) => threads !== '').flatMap(({ name, threads }) => [`${name}. ${threads}`, '']),
    `${blocks.length} blocks of ${forMs / 1000} s for each in turn, forwards and backwards, after one that warms up, as fast as ${CONNECTIONS} connections are answered; ${PROCESSES} processes of ${PROCESSES / 10} services with 97 series each (${(PROCESSES * 97).toLocaleString('en')} in all), ${20 * 97} samples in a request, ${STEP_MS / 1000} s between the samples of a series. ` +
      `OTLP in protobuf, not compressed; remote write as one literal of snappy. Sender and servers share the machine; a server that is not being measured is idle. CPU of a server counts until it rests after a block, merging and compaction included. Middle of the blocks, with smallest and largest. ` +
      `All acknowledged samples (${sides.map(({ name, acknowledged }) => `${name} ${acknowledged.toLocaleString('en')}`).join(', ')}) were found afterwards: Andon's in its tables, Prometheus' by its counter of appended samples.`,
    '',
    `${machine()}.`,
    '',
  ].join('\n')
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const forMs = options.isQuick ? 1500 : 8000
  const sender = startSender()
  const servers: Server[] = []
  try {
    const start = async (starting: Promise<Server>): Promise<Server> => {
      const server = await starting
      servers.push(server)
      return server
    }
    const sides = [sideOf('Andon, OTLP', await start(startAndon(join(folder, 'otlp'))), '/v1/metrics', 'otlp'), sideOf('Andon, remote write', await start(startAndon(join(folder, 'write'))), '/api/v1/write', 'write')]
    if (await hasPrometheus()) sides.push(sideOf(`${prometheusVersion()}, remote write`, await start(startPrometheus(join(folder, 'prometheus'))), '/api/v1/write', 'write'))
    await runRounds(sender, sides, options.rounds, forMs)
    await checkStored(sides)
    return report(sides, forMs)
  } finally {
    await sender.stop()
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
