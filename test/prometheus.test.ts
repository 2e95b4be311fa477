// A real Prometheus beside Andon: it scrapes Andon and itself, writes all of it on to Andon, and both answer alike.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { App, createLog, readOptions } from '@andon/server'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { root } from './repository/root.ts'

const program = join(root, 'node_modules/.cache/prometheus/usr/bin/prometheus')
const skip: string | false = existsSync(program) ? false : 'no Prometheus here: it is fetched from Debian packages where there is apt-get'

/** Removed when no server is left that writes into them. */
const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), name))
  folders.push(folder)
  return folder
}

async function startAndon(t: TestContext, dataDir: string, port = 0, file?: string): Promise<App> {
  const app = new App(readOptions({ flags: { 'listen.port': String(port), data_dir: dataDir }, file }), { log: createLog('error', () => Date.now()) })
  await app.start()
  t.after(() => app.stop())
  return app
}

async function startPrometheus(t: TestContext, folder: string, andon: string): Promise<string> {
  const port = await freePort()
  const own = `127.0.0.1:${port}`
  writeFileSync(
    join(folder, 'prometheus.yml'),
    `global: {scrape_interval: 1s}
scrape_configs:
- {job_name: prometheus, static_configs: [{targets: ['${own}']}]}
- {job_name: andon, static_configs: [{targets: ['${new URL(andon).host}']}]}
remote_write:
- url: ${andon}/api/v1/write
  metadata_config: {send_interval: 1s}
  queue_config: {batch_send_deadline: 500ms, min_backoff: 100ms, max_backoff: 500ms}
`,
  )
  const args = [`--config.file=${join(folder, 'prometheus.yml')}`, `--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=${own}`, '--enable-feature=native-histograms', '--log.level=error']
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
  })
  return `http://${own}`
}

type Labels = Readonly<Record<string, string>>
interface Answer {
  readonly data: { readonly result: readonly { readonly metric: Labels; readonly value: readonly [number, string] }[] }
}

/** By labels, without the one that Andon adds. */
async function ask(url: string, expression: string, seconds: number): Promise<Map<string, number> | undefined> {
  const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}&time=${seconds}`).catch(() => undefined)
  if (response?.status !== 200) return undefined
  const { data }: Answer = JSON.parse(await response.text())
  return new Map(
    data.result.map(({ metric, value }) => {
      const labels = Object.entries(metric).filter(([name]) => name !== 'service_name')
      return [labels.map((pair) => pair.join('=')).toSorted().join(), Number(value[1])] as const
    }),
  )
}

/** Where two answers differ; '' where they agree. */
function difference(theirs: ReadonlyMap<string, number> | undefined, ours: ReadonlyMap<string, number> | undefined): string {
  if (theirs === undefined || ours === undefined || theirs.size === 0) return 'no answer'
  const missing = [...new Set([...theirs.keys(), ...ours.keys()])].find((labels) => !theirs.has(labels) || !ours.has(labels))
  if (missing !== undefined) return `only one of them has ${missing}`
  for (const [labels, value] of theirs) {
    const own = ours.get(labels) ?? Number.NaN
    if (!(Object.is(own, value) || Math.abs(own - value) <= 1e-9 * Math.max(Math.abs(value), 1))) return `${labels}: ${own}, not ${value}`
  }
  return ''
}

/** Both come to say the same of an expression at one time: Prometheus writes on in several queues, each at its pace. */
async function agree(prometheus: string, andon: string, expression: string, seconds: number): Promise<void> {
  let found = ''
  const same = async (): Promise<true | undefined> => {
    found = difference(await ask(prometheus, expression, seconds), await ask(andon, expression, seconds))
    return found === '' ? true : undefined
  }
  await eventually(expression, same).catch((error: unknown) => assert.fail(`${String(error)}; ${found}`))
}

const now = (): number => Math.floor(Date.now() / 1000)

test('Prometheus scrapes Andon, writes on to it, also over its restart, and both answer alike', { timeout: 180_000, skip }, async (t) => {
  const folder = newFolder('andon-prometheus-')
  const dataDir = join(folder, 'andon')
  const port = await freePort()
  const first = await startAndon(t, dataDir, port)
  const prometheus = await startPrometheus(t, folder, first.url)
  // Both targets are scraped, and the samples of each have come on.
  await eventually('samples of both jobs', async () => ((await ask(first.url, 'count by (job) (count_over_time(up[1m]) > 5)', now()))?.size === 2 ? true : undefined), 60_000)
  await first.stop()
  const gap = now()
  await eventually('scrapes while Andon is away', async () => ((await ask(prometheus, 'up{job="andon"} == 0', now()))?.size === 1 ? true : undefined))
  const second = await startAndon(t, dataDir, port)
  const until = now() + 3
  await eventually('what was held back', async () => ((await ask(second.url, `timestamp(up) > ${until}`, now()))?.size === 2 ? true : undefined), 60_000)

  const at = until - 2
  // Windows lie within the life of their series: Debian's version extrapolates to the beginning of one as Prometheus 2 did.
  for (const expression of [
    'up',
    'count_over_time(up[1m])',
    `min_over_time(up{job="andon"}[${at - gap + 5}s])`,
    'sum by (handler) (increase(prometheus_http_requests_total{handler="/metrics"}[5s]))',
    'rate(prometheus_http_request_duration_seconds_bucket{handler="/metrics"}[5s])',
    'histogram_quantile(0.9, sum by (le) (rate(prometheus_http_response_size_bytes_bucket{handler="/metrics"}[5s])))',
    'sum by (slice) (prometheus_engine_query_duration_seconds)',
    'go_info',
    'count by (job) ({__name__=~".+"})',
  ]) await agree(prometheus, second.url, expression, at)

  const metadata = await fetch(`${second.url}/api/v1/metadata?metric=prometheus_http_requests_total`)
  assert.deepEqual(await metadata.json(), { status: 'success', data: { prometheus_http_requests_total: [{ type: 'counter', help: 'Counter of HTTP requests.', unit: '' }] } })
})

test('Andon scrapes the same target as Prometheus, and has the same series of it', { timeout: 120_000, skip }, async (t) => {
  const folder = newFolder('andon-scrape-')
  const prometheus = await startPrometheus(t, folder, 'http://127.0.0.1:1')
  const config = join(folder, 'andon.yaml')
  const target = new URL(prometheus).host
  writeFileSync(config, `scrape: [{job: prometheus, targets: ['${target}'], interval: 1s}]\n`)
  const andon = await startAndon(t, join(folder, 'andon'), 0, config)
  const byName = 'count by (__name__) ({job="prometheus"})'
  // Series come while both look: until they are the same at one time.
  const [ours, theirs] = await eventually(
    'the same series',
    async () => {
      const at = now() - 2
      const both = [await ask(andon.url, byName, at), await ask(prometheus, byName, at)] as const
      return (both[0]?.size ?? 0) > 100 && isDeepStrictEqual(...both) ? both : undefined
    },
    60_000,
  )
  assert.deepEqual(ours, theirs)
  assert.deepEqual(await ask(andon.url, 'up', now()), new Map([[`__name__=up,instance=${target},job=prometheus`, 1]]))
  const targets = await fetch(`${andon.url}/api/v1/targets`)
  assert.match(await targets.text(), /"scrapePool":"prometheus","scrapeUrl":"http:\/\/127\.0\.0\.1:\d+\/metrics".*"health":"up"/)
})
