// The same history of counters in Andon and in Prometheus, written by remote write.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSender, STEPS_PER_TURN, untilQuiet } from '@andon/bench'
import { hasPrometheus, type Server, startAndon, startPrometheus } from './programs.ts'

export interface HistoryOptions {
  readonly series: number
  readonly hours: number
  readonly stepSeconds: number
}

export interface History {
  readonly servers: readonly Server[]
  /** Seconds since 1970 of the first sample; none stands at a whole step, where the versions of Prometheus take a window's border differently. */
  readonly from: number
  readonly until: number
  readonly samples: number
  /** Milliseconds that each took to take it. */
  readonly loadMs: readonly number[]
  close(): Promise<void>
}

/** No divisor of any step. */
const OFFSET_MS = 7000
const REST_MS = 20_000
const CONNECTIONS = 10

/** Prometheus takes what is newer by an hour than the sample of another connection, and refuses the other then. */
const connectionsOf = ({ name }: Server): number => (name.startsWith('Prometheus') ? 1 : CONNECTIONS)

/** Starts both, where there is a Prometheus, and writes the history into each. */
export async function makeHistory({ series, hours, stepSeconds }: HistoryOptions): Promise<History> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const sender = startSender()
  const servers: Server[] = []
  const close = async (): Promise<void> => {
    await sender.stop()
    for (const server of servers) await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    servers.push(await startAndon(join(folder, 'andon')))
    if (await hasPrometheus()) servers.push(await startPrometheus(join(folder, 'prometheus')))
    const stepMs = stepSeconds * 1000
    const turns = Math.floor((hours * 3_600_000) / stepMs / STEPS_PER_TURN) * STEPS_PER_TURN
    const hour = 3_600_000
    const fromMs = Math.floor(Date.now() / hour) * hour - turns * stepMs + OFFSET_MS
    const loadMs: number[] = []
    for (const server of servers) {
      const sent = await sender.send({ name: server.name, url: `${server.url}/api/v1/write`, load: { kind: 'series', series, turns: { fromMs, stepMs } }, connections: connectionsOf(server), forMs: 600_000, untilTurn: turns / STEPS_PER_TURN })
      loadMs.push(sent.seconds * 1000)
      await untilQuiet(server.pid, REST_MS)
    }
    return { servers, from: (fromMs - OFFSET_MS) / 1000, until: (fromMs - OFFSET_MS + turns * stepMs) / 1000, samples: turns * series, loadMs, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** How the history came to be, for reports. */
export function historyText({ servers, samples, loadMs }: History, { series, hours, stepSeconds }: HistoryOptions): string {
  const loaded = servers.map(({ name }, index) => `${name} in ${((loadMs[index] ?? 0) / 1000).toFixed(0)} s`).join(', ')
  return `${series.toLocaleString('en')} counters × ${hours} h at ${stepSeconds} s (${samples.toLocaleString('en')} samples) written into each by remote write (${loaded}), over ${CONNECTIONS} connections, into Prometheus in order over one.`
}
