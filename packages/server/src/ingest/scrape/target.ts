// One target: asked at its interval; what it stops to tell is marked as ended.
import { type Bytes, type Labels, labelsKey, type Milliseconds } from '@andon/model'
import { parsePrometheusText } from '@andon/wire'
import type { SamplePoint } from '../points.ts'
import { type PointSink, writtenSample } from '../written-points.ts'
import type { Clock } from '../../runtime/clock.ts'
import { scrapedPoints } from './points.ts'

export interface TargetOptions {
  readonly url: string
  /** `job`, `instance`, and those that are configured. */
  readonly labels: Labels
  readonly timeoutMs: Milliseconds
  /** Sent along, such as an authorization. */
  readonly headers: Readonly<Record<string, string>>
  /** Of an answer, unpacked. */
  readonly maxBytes: Bytes
  /** Of one answer; more of them are refused as a whole. */
  readonly maxSamples: number
}

/** How a target is, as `/api/v1/targets` tells it. */
export interface TargetState {
  readonly url: string
  readonly labels: Labels
  readonly health: 'unknown' | 'up' | 'down'
  readonly lastScrape: Milliseconds
  readonly lastDuration: Milliseconds
  readonly lastError: string
}

export interface TargetDeps {
  readonly sink: PointSink
  readonly clock: Clock
  readonly fetch: typeof fetch
}

const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'

export class Target {
  readonly #options: TargetOptions
  readonly #deps: TargetDeps
  /** The series without times of their own of the last scrape that was stored. */
  #series: ReadonlyMap<string, Labels> = new Map()
  #state: TargetState
  #isRunning = false

  constructor(options: TargetOptions, deps: TargetDeps) {
    this.#options = options
    this.#deps = deps
    this.#state = { url: options.url, labels: options.labels, health: 'unknown', lastScrape: 0, lastDuration: 0, lastError: '' }
  }

  get state(): TargetState {
    return this.#state
  }

  /**
   * Asks once and stores the answer, with `up` and what the scrape itself was like. Never rejects: what went wrong is in
   * the state, and in `up`.
   */
  async scrape(): Promise<void> {
    // While the store keeps the one before waiting, another would only wait behind it.
    if (this.#isRunning) return
    this.#isRunning = true
    await this.#scrape().finally(() => (this.#isRunning = false))
  }

  async #scrape(): Promise<void> {
    const { clock } = this.#deps
    const { url, labels } = this.#options
    const ts = clock.now()
    let scraped: ReturnType<typeof scrapedPoints> = { points: [], described: [] }
    let bytes = 0
    let lastError = ''
    try {
      const text = await this.#read()
      bytes = text.length
      scraped = scrapedPoints(parsePrometheusText(text, this.#options.maxSamples), labels, ts)
    } catch (error) {
      lastError = reasonOf(error)
    }
    const lastDuration = clock.now() - ts
    let health: TargetState['health'] = lastError === '' ? 'up' : 'down'
    const { points, described } = scraped
    const series = new Map(points.filter((point) => point.ts === ts).map((point) => [labelsKey(point.labels ?? {}), point.labels ?? {}]))
    const ended = this.#ended(series, ts)
    const own = this.#ownPoints(ts, {
      up: lastError === '' ? 1 : 0,
      scrape_duration_seconds: lastDuration / 1000,
      scrape_samples_scraped: points.length,
      scrape_samples_post_metric_relabeling: points.length,
      scrape_series_added: [...series.keys()].filter((key) => !this.#series.has(key)).length,
    })
    try {
      const { rejected, message } = await this.#deps.sink.acceptPoints({ points: [...points, ...ended, ...own], described }, bytes + 1000)
      if (rejected > 0) lastError ||= message
      this.#series = series
    } catch (error) {
      // The store takes nothing just now: the next scrape tells how things are then, and marks what has ended since the last one that was stored.
      lastError ||= reasonOf(error)
      health = 'down'
    }
    this.#state = { url, labels, health, lastScrape: ts, lastDuration, lastError }
  }

  /** Markers for the series that were there before and are not any more. */
  #ended(series: ReadonlyMap<string, Labels>, ts: Milliseconds): SamplePoint[] {
    const gone = [...this.#series].filter(([key]) => !series.has(key))
    return gone.map(([, labels]) => writtenSample(labels, { ts, value: Number.NaN, stale: true, type: 'unknown' }))
  }

  #ownPoints(ts: Milliseconds, values: Readonly<Record<string, number>>): SamplePoint[] {
    return Object.entries(values).map(([name, value]) => writtenSample({ __name__: name, ...this.#options.labels }, { ts, value, type: 'gauge' }))
  }

  async #read(): Promise<string> {
    const { timeoutMs } = this.#options
    const controller = new AbortController()
    const ends: (() => void)[] = []
    // Beside the signal, because an answer that is being unpacked does not always end when it is aborted.
    const late = new Promise<never>((_resolve, reject) => {
      ends.push(this.#deps.clock.after(timeoutMs, () => reject(new Error(`no whole answer within ${timeoutMs} ms`))))
    })
    try {
      return await Promise.race([this.#fetch(controller.signal), late])
    } finally {
      for (const end of ends) end()
      // What has not been read is not waited for.
      controller.abort()
    }
  }

  async #fetch(signal: AbortSignal): Promise<string> {
    const { url, headers, timeoutMs, maxBytes } = this.#options
    const response = await this.#deps.fetch(url, { headers: { accept: ACCEPT, 'user-agent': 'andon-scrape', 'x-prometheus-scrape-timeout-seconds': String(timeoutMs / 1000), ...headers }, signal })
    if (response.status !== 200) throw new Error(`it answers ${response.status}`)
    return await readText(response, maxBytes)
  }
}

async function readText(response: Response, maxBytes: Bytes): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Not by its iterator: left early, that one waits until the answer is cancelled, which one that is being unpacked never is.
  const reader = response.body?.getReader()
  for (let next = await reader?.read(); next?.value !== undefined; next = await reader?.read()) {
    const chunk: Uint8Array = next.value
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`its answer is larger than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // fetch says what went wrong in the cause.
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
