// One trace by its id among many millions of spans.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { machine, type MeasureOptions, residentOf, untilQuiet } from '@andon/bench'
import { median, quantile, seeded } from '@andon/model'
import { startAndon } from '../server/programs.ts'
import { numberOf, rowsOf, run } from '../server/stored.ts'

const DEFAULT_SPANS = 4_000_000
const PER_TRACE = 8
const PER_INSERT = 500_000
const DAYS = 6
const LOOK_UPS = 100
const GOAL_MS = 20
const REST_MS = 60_000

/** Spans as an application sends them, eight to a trace, spread over days; made by the engine itself, so that twenty millions take a minute or two. */
function inserts(spans: number, now: number): string[] {
  const from = now - DAYS * 86_400_000
  const stepNs = Math.floor((DAYS * 86_400_000 * 1e6) / spans)
  return Array.from({ length: Math.ceil(spans / PER_INSERT) }, (_, index) => {
    const first = index * PER_INSERT
    return `INSERT INTO andon.spans (ts, trace_id, span_id, parent_id, service, env, version, instance, scope, name, kind, dur, status, route, http_status, attrs, attrs_int, resource)
      SELECT fromUnixTimestamp64Nano(toInt64(${from}) * 1000000 + toInt64(number) * ${stepNs}), sipHash128(toUInt64(intDiv(number, ${PER_TRACE}))), cityHash64(number), if(number % ${PER_TRACE} = 0, 0, cityHash64(number - 1)),
        concat('shop-', toString(intDiv(number, ${PER_TRACE}) % 8)), 'production', '1.4.2', concat('node-', toString(cityHash64(intDiv(number, ${PER_TRACE})) % 64)), 'http',
        concat(['GET /api/boards/:id', 'handler', 'SELECT boards', 'SELECT cards', 'SELECT people', 'GET /api/prices', 'render', 'SELECT comments'][number % ${PER_TRACE} + 1], ''),
        CAST([2, 1, 3, 3, 3, 3, 1, 3][number % ${PER_TRACE} + 1], 'Enum8(\\'unspecified\\'=0,\\'internal\\'=1,\\'server\\'=2,\\'client\\'=3,\\'producer\\'=4,\\'consumer\\'=5)'), cityHash64(number, 1) % 50000000, 'unset', if(number % ${PER_TRACE} = 0, '/api/boards/:id', ''), if(number % ${PER_TRACE} = 0, 200, 0),
        map('http.request.method', 'GET', 'url.path', concat('/api/boards/', toString(cityHash64(number, 2) % 100000)), 'client.address', concat('10.0.0.', toString(cityHash64(number, 3) % 250)), 'user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140'),
        map('server.port', toInt64(443), 'network.peer.port', toInt64(cityHash64(number, 4) % 28000 + 32768)), 1
      FROM numbers(${first}, ${Math.min(PER_INSERT, spans - first)})`
  })
}

/** Ids of traces drawn by chance. */
function draw(folder: string, traces: number): string[] {
  const random = seeded(3)
  const numbers = Array.from({ length: LOOK_UPS }, () => Math.floor(random() * traces))
  return rowsOf(folder, `SELECT lower(hex(sipHash128(toUInt64(arrayJoin([${numbers.join()}])))))`).map(([id]) => String(id))
}

async function lookUp(url: string, id: string): Promise<number> {
  const begun = performance.now()
  const response = await fetch(`${url}/api/traces/${id}`)
  const text = await response.text()
  const ms = performance.now() - begun
  const spans = text.split('"spanID":').length - 1
  // A span refers to its parent by a field of the same name.
  if (response.status !== 200 || spans < PER_TRACE) throw new Error(`the trace ${id} has ${spans} spans: ${response.status} ${text.slice(0, 200)}`)
  return ms
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const spans = options.size ?? (options.isQuick ? 100_000 : DEFAULT_SPANS)
  try {
    const maker = await startAndon(folder)
    await maker.stop()
    const begun = performance.now()
    run(folder, inserts(spans, Date.now()))
    const seconds = (performance.now() - begun) / 1000
    const ids = draw(folder, Math.floor(spans / PER_TRACE))
    const [stored, parts, bytes] = ['count()', 'uniqExact(_part)', '(SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = \'spans\')'].map((what) => numberOf(folder, `SELECT ${what} FROM andon.spans`))
    const server = await startAndon(folder)
    try {
      await untilQuiet(server.pid, REST_MS)
      const times: number[] = []
      for (const id of ids) times.push(await lookUp(server.url, id))
      const again: number[] = []
      for (const id of ids) again.push(await lookUp(server.url, id))
      const shown = [times, again].map((each) => `${median(each).toFixed(1)} / ${quantile(each.toSorted((a, b) => a - b), 0.95).toFixed(1)}`)
      return [
        `### A trace by its id among ${spans.toLocaleString('en')} spans`,
        '',
        '| | p50 / p95 ms | goal ms | |',
        '|---|---|---|---|',
        `| first time | ${shown[0] ?? ''} | ${GOAL_MS} | ${median(times) <= GOAL_MS ? 'kept' : 'missed'} |`,
        `| again | ${shown[1] ?? ''} | ${GOAL_MS} | ${median(again) <= GOAL_MS ? 'kept' : 'missed'} |`,
        '',
        `${LOOK_UPS} traces of ${PER_TRACE} spans drawn by chance, by GET /api/traces/:id without a time, the whole answer read. ${(stored ?? 0).toLocaleString('en')} spans over ${DAYS} days in ${parts ?? 0} parts, ${((bytes ?? 0) / spans).toFixed(0)} bytes each, made in ${seconds.toFixed(0)} s by the engine; resident after it ${(residentOf(server.pid) / 2 ** 20).toFixed(0)} MiB.`,
        '',
        `${machine()}.`,
        '',
      ].join('\n')
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
