// What the kanban's real telemetry takes on disk: bytes per sample, histogram point and span, and the same samples in Prometheus.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection, encodeWrite, headOf, machine, type MeasureOptions, stampMilliseconds } from '@andon/bench'
import { stopProgram } from '../agent/application/child.ts'
import { startEmbedded } from '../agent/application/postgres.ts'
import { ANDON, type Subject } from '../agent/subjects/subjects.ts'
import { createDatabases, startKanban } from '../kanban/kanban.ts'
import { hasPrometheus, prometheusVersion, startAndon, startPrometheus } from '../server/programs.ts'
import { rowsOf, run } from '../server/stored.ts'

const PER_SECOND = 30
const DEFAULT_SECONDS = 150
/** Ten times as often as by default, so that minutes have as many points of a series as half an hour. */
const INTERVAL_MS = 1000
const PER_REQUEST = 2000
const STALE = 1
const DELTA = 2

const SUBJECT: Subject = {
  ...ANDON,
  name: 'andon',
  env: (collector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SERVICE_NAME: 'kanban', OTEL_METRIC_EXPORT_INTERVAL: String(INTERVAL_MS), ANDON_BUDGET: 'off' }),
}

/** A team at work on the kanban, watched. @returns requests that were answered */
async function record(folder: string, seconds: number): Promise<number> {
  const server = await startAndon(join(folder, 'andon'))
  const postgres = await startEmbedded(join(folder, 'postgres'))
  try {
    const [database = ''] = await createDatabases(postgres.connectionString, 1)
    const kanban = await startKanban(SUBJECT, database, server.url)
    try {
      return await kanban.load.run(PER_SECOND, seconds)
    } finally {
      await stopProgram(kanban.program)
    }
  } finally {
    await postgres.stop()
    await server.stop()
  }
}

interface Table {
  readonly name: string
  readonly rows: number
  /** Of the columns, compressed, and of all files. */
  readonly data: number
  readonly disk: number
}

function tablesOf(folder: string): Table[] {
  const names = rowsOf(folder, "SELECT DISTINCT table FROM system.parts WHERE database = 'andon' AND active AND rows > 0").map(([name]) => String(name))
  run(folder, names.map((name) => `OPTIMIZE TABLE andon.${name} FINAL`))
  return rowsOf(folder, "SELECT table, toFloat64(sum(rows)), toFloat64(sum(data_compressed_bytes)), toFloat64(sum(bytes_on_disk)) FROM system.parts WHERE database = 'andon' AND active AND rows > 0 GROUP BY table ORDER BY table").map(
    ([name, rows, data, disk]) => ({ name: String(name), rows: Number(rows), data: Number(data), disk: Number(disk) }),
  )
}

type Labels = Readonly<Record<string, string>>

interface Sample {
  readonly labels: Labels
  readonly ts: number
  readonly value: number
}

function textPairs(keys: unknown, values: unknown): [string, string][] {
  if (!Array.isArray(keys) || !Array.isArray(values)) return []
  return keys.map((key, index): [string, string] => [String(key), String(values[index])])
}

/** All samples in the order of their times, as PromQL sees them: deltas added up. */
function samplesOf(folder: string): Sample[] {
  const labels = new Map(rowsOf(folder, 'SELECT toString(id), any(name), any(mapKeys(labels)), any(mapValues(labels)) FROM andon.series GROUP BY id').map(([id, name, keys, values]) => [String(id), { __name__: String(name), ...Object.fromEntries(textPairs(keys, values)) }]))
  const sums = new Map<string, { ts: number; sum: number }>()
  const found: Sample[] = []
  for (const [id, at, value, flags] of rowsOf(folder, 'SELECT toString(id), toFloat64(toUnixTimestamp64Milli(ts)), v, flags FROM andon.samples ORDER BY ts, id')) {
    const own = labels.get(String(id))
    const ts = Number(at)
    const last = sums.get(String(id))
    if (own === undefined || (Number(flags) & STALE) !== 0 || last?.ts === ts) continue
    const sum = (Number(flags) & DELTA) === 0 ? Number(value) : (last?.sum ?? 0) + Number(value)
    sums.set(String(id), { ts, sum })
    found.push({ labels: own, ts, value: sum })
  }
  return found
}

/** Requests in which no series stands twice. */
function requestsOf(samples: readonly Sample[]): (readonly Sample[])[] {
  const requests: (readonly Sample[])[] = []
  let from = 0
  const seen = new Set<Labels>()
  for (const [index, { labels }] of samples.entries()) {
    if (seen.has(labels) || seen.size >= PER_REQUEST) {
      requests.push(samples.slice(from, index))
      seen.clear()
      from = index
    }
    seen.add(labels)
  }
  return [...requests, samples.slice(from)]
}

async function writeAll(url: URL, samples: readonly Sample[]): Promise<void> {
  const connection = await Connection.open(url)
  for (const part of requestsOf(samples)) {
    const { bytes, view, values, times } = encodeWrite(part.map(({ labels }) => labels))
    for (const [index, { ts, value }] of part.entries()) {
      view.setFloat64(values[index] ?? 0, value, true)
      stampMilliseconds(bytes, times[index] ?? 0, ts)
    }
    const head = headOf(url, { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' }, bytes.length)
    const { status, body } = await connection.send(head, bytes)
    if (status >= 300) throw new Error(`Prometheus answered ${status}: ${body.slice(0, 300)}`)
  }
  connection.close()
}

interface Blocks {
  readonly samples: number
  readonly chunks: number
  readonly index: number
}

/** The blocks that Prometheus makes of the samples, as it keeps them for good. */
async function prometheusBlocks(folder: string, samples: readonly Sample[]): Promise<Blocks> {
  const server = await startPrometheus(folder)
  try {
    await writeAll(new URL(`${server.url}/api/v1/write`), samples)
    const answer = await fetch(`${server.url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })
    const { data }: { readonly data: { readonly name: string } } = JSON.parse(await answer.text())
    const snapshot = join(server.folder, 'snapshots', data.name)
    let sum: Blocks = { samples: 0, chunks: 0, index: 0 }
    for (const block of readdirSync(snapshot)) {
      const { stats }: { readonly stats: { readonly numSamples: number } } = JSON.parse(readFileSync(join(snapshot, block, 'meta.json'), 'utf8'))
      const chunks = readdirSync(join(snapshot, block, 'chunks')).reduce((bytes, file) => bytes + statSync(join(snapshot, block, 'chunks', file)).size, 0)
      sum = { samples: sum.samples + stats.numSamples, chunks: sum.chunks + chunks, index: sum.index + statSync(join(snapshot, block, 'index')).size }
    }
    return sum
  } finally {
    await server.stop()
  }
}

const MEANINGS: Readonly<Record<string, string>> = { samples: 'sample', samples_5m: 'five minutes of a series', samples_1h: 'hour of a series', hist: 'histogram point', hist_5m: 'five minutes of a histogram', hist_1h: 'hour of a histogram', spans: 'span', red_1m: 'minute of an operation', series: 'series', exemplars: 'exemplar' }
const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

function row({ name, rows, data, disk }: Table): string {
  return `| ${MEANINGS[name] ?? name} | ${rows.toLocaleString('en')} | ${digits.format(data / rows)} | ${digits.format(disk / rows)} |`
}

function prometheusRows({ samples, chunks, index }: Blocks): string[] {
  return [`| ${prometheusVersion()}: sample, the same ones | ${samples.toLocaleString('en')} | ${digits.format(chunks / samples)} | ${digits.format((chunks + index) / samples)} |`]
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const seconds = options.size ?? (options.isQuick ? 5 : DEFAULT_SECONDS)
  try {
    const requests = await record(folder, seconds)
    const data = join(folder, 'andon')
    const samples = samplesOf(data)
    const tables = tablesOf(data)
    const blocks = (await hasPrometheus()) ? await prometheusBlocks(join(folder, 'prometheus'), samples) : undefined
    if (blocks !== undefined && blocks.samples !== samples.length) throw new Error(`Prometheus has ${blocks.samples} of ${samples.length} samples`)
    return [
      "### What the kanban's telemetry takes on disk",
      '',
      '| | rows | bytes of data each | with all files |',
      '|---|---|---|---|',
      ...tables.map(row),
      ...(blocks === undefined ? [] : prometheusRows(blocks)),
      '',
      `${seconds} s of the kanban's team at ${PER_SECOND} requests per second (${requests.toLocaleString('en')} requests), every request traced, metrics every ${INTERVAL_MS / 1000} s. Andon: active parts after OPTIMIZE … FINAL, by system.parts; all files are also keys, marks and skip indexes, of which small tables have the more. ` +
        'Prometheus: blocks of a snapshot of the same samples, deltas added up to counters as it would scrape them; its data are the chunks, its other file is the index with all labels, which Andon keeps in the table of series.',
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
