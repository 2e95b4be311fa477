// Drives a server with spans and samples at a share of what it can take, and looks at its memory at intervals.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuOf, type Job, residentOf, type Sender, startSender } from '@andon/bench'
import { createLog, openStore, systemClock } from '@andon/server'
import { root } from '../repository/root.ts'

/** What a server holds at a time; the heap is the least that was seen since the sample before, so without most of its garbage. */
export interface Held {
  readonly afterMs: number
  readonly heapBytes: number
  /** Memory of buffers, outside of the heap. */
  readonly externalBytes: number
  readonly residentBytes: number
  /** Milliseconds of CPU since the start of the program. */
  readonly cpuMs: number
}

export interface IngestOptions {
  readonly minutes: number
  /** Milliseconds in which the top rate of spans, and then that of samples, is found. */
  readonly searchMs: number
  /** Of the top rates: spans and samples are each sent at half of it, so that together they take this share of what the server can take. */
  readonly share: number
  /** Samples of memory that are kept. */
  readonly samples: number
  readonly told?: (held: Held) => void
}

export interface IngestResult {
  readonly held: readonly Held[]
  /** A second, at full speed and as they were sent. */
  readonly top: Rates
  readonly sent: Rates
  readonly acknowledged: Rates
  readonly stored: Rates
  readonly minutes: number
}

export interface Rates {
  readonly spans: number
  readonly samples: number
}

const PROCESSES = 400
const SERIES = PROCESSES * 97
const SPAN_PROCESSES = 64
const CONNECTIONS = 4

interface Running {
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

async function startServer(dataDir: string): Promise<Running> {
  const args = [join(root, 'packages/server/dist/main.js'), '--port', '0', '--data-dir', dataDir, '--log-level', 'warn']
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ANDON_GRPC_PORT: 'off' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await closed
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined && child.pid !== undefined) return { url, pid: child.pid, stop }
  }
  throw new Error('the server ended before it listened')
}

interface Status {
  readonly memory: { readonly heapUsedBytes: number; readonly externalBytes: number }
}

const LOOK_MS = 250

/** Looks at the server until `until` has settled. */
async function watch(server: Running, until: Promise<unknown>, everyMs: number, told: (held: Held) => void): Promise<void> {
  const over = new AbortController()
  const end = (): void => over.abort()
  until.then(end, end)
  const begun = performance.now()
  let next = everyMs
  let least: Status['memory'] = { heapUsedBytes: Infinity, externalBytes: Infinity }
  while (!over.signal.aborted) {
    await wait(LOOK_MS)
    const response = await fetch(`${server.url}/api/status`)
    const { memory }: Status = JSON.parse(await response.text())
    if (memory.heapUsedBytes < least.heapUsedBytes) least = memory
    const afterMs = performance.now() - begun
    if (afterMs < next) continue
    next += everyMs
    told({ afterMs, heapBytes: least.heapUsedBytes, externalBytes: least.externalBytes, residentBytes: residentOf(server.pid), cpuMs: cpuOf(server.pid) })
    least = { heapUsedBytes: Infinity, externalBytes: Infinity }
  }
}

function jobs(url: string, forMs: number, samplesPerSecond: number): { readonly spans: Job; readonly samples: Job } {
  const base = { connections: CONNECTIONS, forMs, untilTurn: Number.MAX_SAFE_INTEGER }
  // As far apart as they come, so that the samples are as old as they are: now.
  const stepMs = Math.max(1, Math.floor((SERIES / samplesPerSecond) * 1000))
  return {
    spans: { ...base, name: 'spans', url: `${url}/v1/traces`, load: { kind: 'spans', processes: SPAN_PROCESSES } },
    samples: { ...base, name: `samples every ${stepMs} ms`, url: `${url}/v1/metrics`, load: { kind: 'samples', form: 'otlp', processes: PROCESSES, turns: { fromMs: Date.now() - 1000, stepMs } } },
  }
}

/** As fast as they are answered, one kind after the other; samples an hour old. */
async function findTop(sender: Sender, url: string, forMs: number): Promise<{ readonly top: Rates; readonly sent: Rates }> {
  const { spans, samples } = jobs(url, forMs, 1e6)
  const old = { ...samples, name: 'search', load: { kind: 'samples', form: 'otlp', processes: PROCESSES, turns: { fromMs: Date.now() - 12 * 3_600_000, stepMs: 15_000 } } } as const
  const first = await sender.send(spans)
  const second = await sender.send(old)
  return { top: { spans: first.items / first.seconds, samples: second.items / second.seconds }, sent: { spans: first.items, samples: second.items } }
}

async function stored(dataDir: string): Promise<Rates> {
  const store = await openStore({ dataDir, log: createLog('error', () => Date.now()), clock: systemClock })
  try {
    const { tables } = await store.status()
    const rows = (name: string): number => tables.find((table) => table.name === name)?.rows ?? 0
    return { spans: rows('spans'), samples: rows('samples') }
  } finally {
    await store.close()
  }
}

/** Runs the soak. @throws Error when a request is refused or the server ends */
export async function soakIngest({ minutes, searchMs, share, samples: count, told }: IngestOptions): Promise<IngestResult> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-soak-'))
  const senders = [startSender(), startSender()] as const
  const server = await startServer(folder)
  try {
    const { top, sent: before } = await findTop(senders[0], server.url, searchMs)
    const rates = { spans: (top.spans * share) / 2, samples: (top.samples * share) / 2 }
    const forMs = minutes * 60_000
    const { spans, samples } = jobs(server.url, forMs, rates.samples)
    const sending = Promise.all([senders[0].send({ ...spans, perSecond: rates.spans }), senders[1].send({ ...samples, perSecond: rates.samples })])
    const held: Held[] = []
    await watch(server, sending, forMs / count, (each) => {
      held.push(each)
      told?.(each)
    })
    const [spansSent, samplesSent] = await sending
    await server.stop()
    return {
      held,
      top,
      sent: { spans: spansSent.items / spansSent.seconds, samples: samplesSent.items / samplesSent.seconds },
      acknowledged: { spans: before.spans + spansSent.items, samples: before.samples + samplesSent.items },
      stored: await stored(folder),
      minutes,
    }
  } finally {
    for (const sender of senders) await sender.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
