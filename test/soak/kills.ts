// Kills a server again and again while it takes spans and metrics, and looks each time whether what it acknowledged is there
// exactly once, in raw tables and rollups.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { type MetricRecord, millisecondsToNanoseconds, type Resource, type Scope, seeded, type SpanRecord } from '@andon/model'
import { createLog, openStore, systemClock } from '@andon/server'
import { encodeMetrics, encodeSpans } from '@andon/wire'
import { root } from '../repository/root.ts'

type Store = Awaited<ReturnType<typeof openStore>>

export interface KillsOptions {
  readonly rounds: number
  /** Told after each round. */
  readonly told?: (round: KillRound) => void
}

export interface KillRound {
  readonly round: number
  /** Milliseconds that were waited before it was killed. */
  readonly afterMs: number
  /** Batches that were acknowledged in this round, and those under way when it was killed. */
  readonly acknowledged: number
  readonly underWay: number
}

export interface KillsResult {
  readonly rounds: readonly KillRound[]
  /** Batches that were acknowledged in the end, by kind. */
  readonly acknowledged: Readonly<Record<Kind, number>>
  /** Of the batches under way, those that had been stored although nobody was told. */
  readonly untold: number
  /** What was found otherwise than it should be; empty when all is well. */
  readonly faults: readonly string[]
}

/** Numbered batches are sent again until they are acknowledged, as our agent does; plain ones are not, as nobody could tell them from new ones. */
const KINDS = ['numberedSpans', 'numberedMetrics', 'plainSpans', 'plainMetrics'] as const
export type Kind = (typeof KINDS)[number]

const SPANS = 8
/** Traces that one search answers. */
const MOST = 900
const KILL_WITHIN_MS = 400
const BEGUN_WITHIN_MS = 10_000
/** Of so many rounds one kills from the first moment on. */
const EARLY = 5
const PROCESS = 'c0ffee'.padEnd(32, '7')
const SCOPE: Scope = { name: 'kills', version: '', attributes: {}, droppedAttributes: 0, schemaUrl: '' }
/** Between the points of one batch and those of the next. */
const STEP_MS = 10

function resourceOf(service: string): Resource {
  return { attributes: { 'service.name': service, 'service.instance.id': 'one' }, droppedAttributes: 0, schemaUrl: '' }
}

const traceOf = (kind: Kind, number: number): string => `${KINDS.indexOf(kind) + 1}${number.toString(16).padStart(31, '0')}`

function spans(kind: Kind, service: string, number: number): Uint8Array {
  const resource = resourceOf(service)
  const start = BigInt(Date.now()) * 1_000_000n
  return encodeSpans(
    Array.from({ length: SPANS }, (_, index): SpanRecord => ({
      traceId: traceOf(kind, number),
      spanId: (number * SPANS + index + 1).toString(16).padStart(16, '0'),
      parentSpanId: '',
      traceState: '',
      flags: 1,
      name: 'work',
      kind: 'server',
      start,
      end: start + 1_000_000n,
      attributes: { 'http.route': '/work', number: BigInt(number) },
      droppedAttributes: 0,
      events: [],
      droppedEvents: 0,
      links: [],
      droppedLinks: 0,
      status: { code: 'unset', message: '' },
      resource,
      scope: SCOPE,
    })),
  )
}

/** A batch of a counter and of a histogram, each one more than before. */
function metrics(kind: Kind, zero: number, number: number): Uint8Array {
  const isDelta = kind === 'numberedMetrics'
  const point = { attributes: {}, start: millisecondsToNanoseconds(isDelta ? zero + (number - 1) * STEP_MS : zero), time: millisecondsToNanoseconds(zero + number * STEP_MS), flags: 0, exemplars: [] }
  const base = { description: '', unit: '', resource: resourceOf(kind), scope: SCOPE }
  const temporality = isDelta ? 'delta' : 'cumulative'
  const count = isDelta ? 1 : number
  const records: MetricRecord[] = [
    { ...base, name: `${kind}.done`, data: { type: 'sum', monotonic: true, temporality, points: [{ ...point, value: count }] } },
    { ...base, name: `${kind}.waited`, data: { type: 'histogram', temporality, points: [{ ...point, count, sum: count, min: undefined, max: undefined, bounds: [1], counts: [count, 0] }] } },
  ]
  return encodeMetrics(records)
}

/** One kind of batches, sent one after another. */
class Line {
  readonly kind: Kind
  readonly #zero: number
  /** The number of the next batch. */
  #next = 1
  /** Acknowledged in all, and in this round. */
  total = 0
  ofRound: number[] = []
  /** Sent, and not acknowledged. */
  open: number | undefined
  /** The bytes of what is open, and when they were made: what is sent again is the same. */
  #body: Uint8Array = new Uint8Array()
  #madeAt = 0
  /** When the first batch of this round was made. */
  since = 0
  /** Numbers that were never acknowledged, and are not sent again. */
  readonly lost: number[] = []

  constructor(kind: Kind, zero: number) {
    this.kind = kind
    this.#zero = zero
  }

  get isNumbered(): boolean {
    return this.kind === 'numberedSpans' || this.kind === 'numberedMetrics'
  }

  get isSpans(): boolean {
    return this.kind === 'numberedSpans' || this.kind === 'plainSpans'
  }

  /** Starts a round; what was open goes to the same service as before, since it is the same batch. */
  begin(): void {
    this.ofRound = []
    if (this.open !== undefined && !this.isNumbered) {
      this.lost.push(this.open)
      this.open = undefined
    }
    this.since = this.open === undefined ? Date.now() : this.#madeAt
  }

  /** Sends what is open, or the next. @returns false when the server is gone */
  async sendOne(url: string): Promise<boolean> {
    const number = this.open ?? this.#make()
    const headers = { 'content-type': 'application/x-protobuf', ...(this.isNumbered && { 'andon-batch': `${PROCESS}/${KINDS.indexOf(this.kind) * 1_000_000 + number}` }) }
    const answer = await fetch(`${url}/v1/${this.isSpans ? 'traces' : 'metrics'}`, { method: 'POST', headers, body: Buffer.from(this.#body) }).catch(() => undefined)
    if (answer === undefined) return false
    if (answer.status !== 200) throw new Error(`${this.kind}: ${answer.status} ${await answer.text()}`)
    this.open = undefined
    this.total += 1
    this.ofRound.push(number)
    // The rest of the answer; that the server is gone by now changes nothing.
    await answer.arrayBuffer().catch(() => undefined)
    return true
  }

  /** Makes the next batch. @returns its number */
  #make(): number {
    const number = this.#next
    this.#next += 1
    this.open = number
    this.#madeAt = Date.now()
    this.#body = this.isSpans ? spans(this.kind, this.kind, number) : metrics(this.kind, this.#zero, number)
    return number
  }

  async run(url: string): Promise<void> {
    while (this.ofRound.length < MOST && (await this.sendOne(url)));
  }
}

async function startServer(dataDir: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const args = [join(root, 'packages/server/dist/main.js'), '--port', '0', '--data-dir', dataDir, '--log-level', 'error']
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ANDON_GRPC_PORT: 'off' }, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1]
    if (url !== undefined) return { child, url }
  }
  throw new Error('the server ended before it listened')
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill(signal)
  await closed
}

const MINUTE = 60_000

/** What is expected of a number: at least, and at most. */
function within(what: string, value: number, least: number, most: number): string[] {
  return value >= least && value <= most ? [] : [`${what}: ${value}, expected ${least === most ? String(least) : `${least} to ${most}`}`]
}

/** Batches that may or may not be there. */
const doubtful = ({ open, lost }: Line): number => lost.length + (open === undefined ? 0 : 1)

class Check {
  readonly #store: Store
  readonly #zero: number
  readonly faults: string[] = []
  untold = 0

  constructor(store: Store, zero: number) {
    this.#store = store
    this.#zero = zero
  }

  async line(line: Line): Promise<void> {
    if (line.isSpans) {
      await this.#traces(line)
      await this.#rates(line)
    } else await this.#metrics(line)
  }

  /** Every trace of the round has its spans, each once. */
  async #traces(line: Line): Promise<void> {
    const range = { start: line.since - 1000, end: Date.now() + MINUTE }
    const found = new Map((await this.#store.spanSearch.search({ range, service: line.kind, limit: 1000 })).map(({ traceId, spanCount }) => [traceId, spanCount]))
    for (const number of line.ofRound) this.faults.push(...within(`${line.kind} ${number}: spans`, found.get(traceOf(line.kind, number)) ?? 0, SPANS, SPANS))
    if (line.open === undefined) return
    const count = found.get(traceOf(line.kind, line.open)) ?? 0
    if (count !== 0) this.untold += 1
    if (count !== 0 && count !== SPANS) this.faults.push(`${line.kind} ${line.open}: ${count} of ${SPANS} spans of a batch that was under way`)
  }

  /** Counts by minute, all rounds together. */
  async #rates(line: Line): Promise<void> {
    const range = { start: Math.floor((Date.now() - 6 * 60 * MINUTE) / MINUTE) * MINUTE, end: Math.ceil(Date.now() / MINUTE + 1) * MINUTE }
    const [series] = await this.#store.spans.red(range, MINUTE, line.kind)
    const counted = Math.round((series?.rate ?? []).reduce((sum: number, rate) => sum + (rate ?? 0) * 60, 0))
    this.faults.push(...within(`${line.kind}: spans counted by minute`, counted, line.total * SPANS, (line.total + doubtful(line)) * SPANS))
  }

  /** Every point of the round is there. */
  #points(metric: string, { ofRound }: Line, ts: Float64Array): void {
    const times = new Set(ts)
    for (const number of ofRound) if (!times.has(this.#zero + number * STEP_MS)) this.faults.push(`${metric}: the point ${number} is missing`)
  }

  async #metrics(line: Line): Promise<void> {
    const range = { start: this.#zero - 2 * 60 * MINUTE, end: Date.now() + MINUTE }
    const isDelta = line.kind === 'numberedMetrics'
    for (const [metric, isHistogram] of [[`${line.kind}.done`, false], [`${line.kind}.waited`, true]] as const) {
      const matchers = [{ name: '__name__', operator: '=', value: metric }] as const
      const [series] = await this.#store.metrics.select(matchers, range)
      if (isDelta) {
        // Deltas are shown as a running sum.
        const last = isHistogram ? series?.histograms?.at(-1)?.count : series?.v.at(-1)
        this.faults.push(...within(`${metric}: sum`, last ?? 0, line.total, line.total + doubtful(line)))
      } else this.#points(metric, line, series?.ts ?? new Float64Array())
      const rolled = await this.#store.metrics.rolledUpIncrease(matchers, range)
      for (const [name, value] of Object.entries(rolled)) this.faults.push(...within(`${metric}: increase by ${name}`, value, line.total - (isDelta ? 0 : doubtful(line)), line.total + doubtful(line)))
    }
  }
}

async function check(dataDir: string, zero: number, lines: readonly Line[]): Promise<Pick<Check, 'faults' | 'untold'>> {
  const store = await openStore({ dataDir, log: createLog('error', () => Date.now()), clock: systemClock })
  try {
    const checked = new Check(store, zero)
    for (const line of lines) await checked.line(line)
    return checked
  } finally {
    await store.close()
  }
}

/** Settles when every line has been acknowledged a batch; at the latest after some seconds. */
async function allBegun(lines: readonly Line[]): Promise<void> {
  const until = performance.now() + BEGUN_WITHIN_MS
  while (performance.now() < until && lines.some(({ ofRound }) => ofRound.length === 0)) await wait(1)
}

/** Sends until the server is killed at a moment drawn by chance: in most rounds after every line has begun, in others wherever it is. */
async function killUnderLoad(dataDir: string, lines: readonly Line[], afterMs: number, isEarly: boolean): Promise<void> {
  const { child, url } = await startServer(dataDir)
  try {
    for (const line of lines) line.begin()
    const running = lines.map((line) => line.run(url))
    if (!isEarly) await allBegun(lines)
    await wait(afterMs)
    await end(child, 'SIGKILL')
    await Promise.all(running)
  } finally {
    await end(child, 'SIGKILL')
  }
}

/** Sends again what was under way, ends the server properly, and looks whether each batch is there once. */
async function settle(dataDir: string, lines: readonly Line[]): Promise<void> {
  const { child, url } = await startServer(dataDir)
  try {
    for (const line of lines) {
      line.begin()
      if (line.open !== undefined) await line.sendOne(url)
    }
  } finally {
    await end(child, 'SIGTERM')
  }
}

/** Runs the rounds. Stops at the first round with a fault. @throws Error when a batch is refused */
export async function killServer({ rounds, told }: KillsOptions): Promise<KillsResult> {
  const dataDir = mkdtempSync(join(tmpdir(), 'andon-kills-'))
  const zero = Math.floor(Date.now() / STEP_MS) * STEP_MS - 60 * MINUTE
  const lines = KINDS.map((kind) => new Line(kind, zero))
  const random = seeded(Math.floor(Math.random() * 2 ** 32))
  const done: KillRound[] = []
  const faults: string[] = []
  let untold = 0
  try {
    for (let round = 1; round <= rounds && faults.length === 0; round += 1) {
      const afterMs = Math.round(random() * KILL_WITHIN_MS)
      await killUnderLoad(dataDir, lines, afterMs, round % EARLY === 0)
      const checked = await check(dataDir, zero, lines)
      untold += checked.untold
      faults.push(...checked.faults.map((fault) => `round ${round}: ${fault}`))
      const each = { round, afterMs, acknowledged: lines.reduce((sum, { ofRound }) => sum + ofRound.length, 0), underWay: lines.filter(({ open }) => open !== undefined).length }
      done.push(each)
      told?.(each)
    }
    await settle(dataDir, lines)
    faults.push(...(await check(dataDir, zero, lines)).faults.map((fault) => `in the end: ${fault}`))
  } finally {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
  const totals = Object.fromEntries(lines.map(({ kind, total }) => [kind, total]))
  return { rounds: done, acknowledged: { numberedSpans: 0, numberedMetrics: 0, plainSpans: 0, plainMetrics: 0, ...totals }, untold, faults }
}

const whole: Intl.NumberFormat = new Intl.NumberFormat('en')

/** @param machine - the machine and its Node, in a line */
export function killsReport({ rounds, acknowledged, untold, faults }: KillsResult, machine: string): string {
  const underWay = rounds.reduce((sum, round) => sum + round.underWay, 0)
  const silent = rounds.filter((round) => round.acknowledged === 0).length
  return [
    `### ${rounds.length} times kill -9 under ingest`,
    '',
    '| batches | acknowledged |',
    '|---|---|',
    `| spans, numbered, ${SPANS} each | ${whole.format(acknowledged.numberedSpans)} |`,
    `| deltas of a counter and a histogram, numbered | ${whole.format(acknowledged.numberedMetrics)} |`,
    `| spans without a number, ${SPANS} each | ${whole.format(acknowledged.plainSpans)} |`,
    `| a cumulative counter and histogram without a number | ${whole.format(acknowledged.plainMetrics)} |`,
    '',
    faults.length === 0 ? 'Every acknowledged batch was there exactly once after each kill, in raw tables and in rollups.' : `Faults: ${faults.slice(0, 20).join('; ')}.`,
    '',
    `Four senders at once, each batch when the last is acknowledged; the server is killed up to ${KILL_WITHIN_MS} ms after each has been acknowledged a batch, in every fifth round after they begin (${silent} rounds before the first acknowledgement), its tables are read before it starts anew, and numbered batches that were under way are sent again under their number. ` +
      `${whole.format(underWay)} batches were under way when it was killed; ${untold} batches of spans among them had been stored already and count once after being sent again. Batches without a number are not sent again: of those under way a rollup may hold none or all. ${machine}.`,
    '',
  ].join('\n')
}
