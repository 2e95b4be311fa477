// The sender of a measurement, a process of its own: keeps a number of connections busy with prepared requests.
import { Connection, headOf } from './connection.ts'
import { sampleTemplates, type Turns } from './sample-batches.ts'
import { seriesTemplates } from './series-batches.ts'
import { spanTemplates } from './span-batches.ts'
import type { Template } from './template.ts'

/** What is sent. */
export type Load =
  | { readonly kind: 'spans'; readonly processes: number }
  | { readonly kind: 'samples'; readonly form: 'otlp' | 'write'; readonly processes: number; readonly turns: Turns }
  | { readonly kind: 'series'; readonly series: number; readonly turns: Turns }

export interface Job {
  /** Loads of the same name go on where they stopped. */
  readonly name: string
  /** Where to, with its path. */
  readonly url: string
  readonly load: Load
  readonly connections: number
  /** Ends after so many milliseconds, or after so many turns of all requests, whichever is first. */
  readonly forMs: number
  readonly untilTurn: number
  /** Items a second at most; undefined for as fast as they are answered. */
  readonly perSecond?: number
}

export interface Sent {
  /** Spans or samples that were acknowledged. */
  readonly items: number
  readonly requests: number
  /** Requests that were answered otherwise than with 2xx, and the first such answer. */
  readonly refused: number
  readonly refusal: string
  readonly bytes: number
  readonly seconds: number
  /** Of this process. */
  readonly cpuMs: number
  /** Milliseconds of a request, ascending. */
  readonly latencies: readonly number[]
  /** Turns that were begun by now. */
  readonly turn: number
}

interface Prepared {
  readonly templates: readonly Template[]
  /** Of each template, its next turn. */
  readonly turns: number[]
}

const HEADERS = {
  otlp: { 'content-type': 'application/x-protobuf' },
  write: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
} as const

function headersOf(load: Load): Readonly<Record<string, string>> {
  return load.kind === 'series' || (load.kind === 'samples' && load.form === 'write') ? HEADERS.write : HEADERS.otlp
}

function templatesOf(load: Load): readonly Template[] {
  switch (load.kind) {
    case 'spans':
      return spanTemplates(load.processes, () => Date.now())
    case 'samples':
      return sampleTemplates(load.form, load.processes, load.turns)
    case 'series':
      return seriesTemplates(load.series, load.turns)
  }
}

const prepared = new Map<string, Prepared>()

function prepare({ name, load }: Job): Prepared {
  const known = prepared.get(name)
  if (known !== undefined) return known
  const templates = templatesOf(load)
  const made = { templates, turns: templates.map(() => 0) }
  prepared.set(name, made)
  return made
}

/** Waits so that no more than `perSecond` are sent since the beginning. */
async function pace(items: number, begun: number, perSecond: number | undefined): Promise<void> {
  if (perSecond === undefined) return
  const ahead = (items / perSecond) * 1000 - (performance.now() - begun)
  if (ahead > 2) await new Promise((resolve) => setTimeout(resolve, ahead))
}

async function send(job: Job): Promise<Sent> {
  const { templates, turns } = prepare(job)
  const url = new URL(job.url)
  const connections = await Promise.all(Array.from({ length: job.connections }, () => Connection.open(url)))
  const heads = templates.map(({ bytes }) => headOf(url, headersOf(job.load), bytes.length))
  const sum = { items: 0, begunItems: 0, requests: 0, refused: 0, refusal: '', bytes: 0 }
  const latencies: number[] = []
  const before = process.cpuUsage()
  const begun = performance.now()
  const isOver = (): boolean => performance.now() - begun >= job.forMs

  const sendOne = async (connection: Connection, index: number): Promise<void> => {
    const template = templates[index]
    const head = heads[index]
    if (template === undefined || head === undefined) return
    await pace(sum.begunItems, begun, job.perSecond)
    const turn = turns[index] ?? 0
    turns[index] = turn + 1
    sum.begunItems += template.items
    template.stamp(turn)
    const sentAt = performance.now()
    const { status, body } = await connection.send(head, template.bytes)
    latencies.push(performance.now() - sentAt)
    sum.requests += 1
    sum.bytes += template.bytes.length
    if (status >= 200 && status < 300) sum.items += template.items
    else {
      sum.refused += 1
      sum.refusal ||= `${status} ${body.slice(0, 300)}`
    }
  }
  // A request of the same series must not overtake the one before: each is sent over one connection only.
  const drive = async (connection: Connection, first: number): Promise<void> => {
    for (;;) {
      for (let index = first; index < templates.length; index += connections.length) {
        if (isOver() || (turns[index] ?? 0) >= job.untilTurn) return
        await sendOne(connection, index)
      }
      if (first >= templates.length) return
    }
  }
  await Promise.all(connections.map(drive))
  const seconds = (performance.now() - begun) / 1000
  const used = process.cpuUsage(before)
  for (const connection of connections) connection.close()
  const { items, requests, refused, refusal, bytes } = sum
  return { items, requests, refused, refusal, bytes, seconds, cpuMs: (used.user + used.system) / 1000, latencies: latencies.toSorted((a, b) => a - b), turn: Math.max(...turns) }
}

process.on('message', (job: Job) => {
  send(job).then(
    (sent) => process.send?.(sent),
    (error: unknown) => process.send?.({ error: String(error) }),
  )
})
// It must not outlive who measures.
process.once('disconnect', () => process.exit())
