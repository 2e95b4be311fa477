// Pictures of what alerts watch: drawn when a message is told, kept for those who fetch them.
import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import type { Labels, Milliseconds, NotifiedAlert, TimeRange } from '@andon/model'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { isPrivateAddress } from '../address-guard.ts'
import type { OutMessage, Picture } from '../channel.ts'
import { summaryOf } from '../words.ts'
import { drawChart } from './draw.ts'

/** The course of a metric, as the engine of queries knows it. */
export interface MetricCourse {
  readonly labels: Labels
  readonly times: readonly Milliseconds[]
  readonly values: readonly (number | null)[]
}

/** @param step - between values, in milliseconds */
export type SeriesReader = (expression: string, range: TimeRange, step: Milliseconds) => Promise<readonly MetricCourse[]>

export interface PicturesDeps {
  readonly series: SeriesReader
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
  /** Where people reach this server; '' where nobody said. */
  readonly externalUrl: string
}

/** A message is not held up by its picture. */
const WAIT_MS: Milliseconds = 3000
/** Pictures that are kept; each has some kilobytes. */
const KEPT_MAX = 300
const BEFORE_MS: Milliseconds = 1_800_000
const AFTER_MS: Milliseconds = 300_000
const STEPS = 240
const STEP_MIN: Milliseconds = 15_000
const PATH = '/api/charts/'

/** Whether others than this house reach an address. */
export function isPublicUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return !isPrivateAddress(host)
  return host.includes('.') && !/\.(?:local|localhost|internal|lan|home|corp|test|example|invalid)$/.test(host)
}

/** What is shown: enough before it began to know what was usual, and how it went on. */
export function rangeOf({ startsAt, endsAt }: Pick<NotifiedAlert, 'startsAt' | 'endsAt'>, now: Milliseconds): TimeRange {
  const last = endsAt === undefined ? now : Math.min(now, endsAt + AFTER_MS)
  const length = Math.max(0, last - startsAt)
  return { start: startsAt - Math.max(BEFORE_MS, length / 4), end: Math.max(last, startsAt + AFTER_MS) }
}

const isOf = (course: Labels, alert: Labels): boolean => Object.entries(course).every(([name, value]) => name === '__name__' || alert[name] === undefined || alert[name] === value)

export class Pictures {
  readonly #deps: PicturesDeps
  readonly #pngs = new Map<string, Buffer>()
  readonly #known = new Map<string, Promise<Picture | undefined>>()

  constructor(deps: PicturesDeps) {
    this.#deps = deps
  }

  /** A picture that was made not long ago. @param id - which nobody can guess */
  png(id: string): Buffer | undefined {
    return this.#pngs.get(id)
  }

  /** The picture of a message, the same for all its channels; undefined where there is nothing to show, or it takes too long. */
  async of(message: OutMessage): Promise<Picture | undefined> {
    const { id } = message
    const known = this.#known.get(id)
    if (known !== undefined) return await known
    const made = this.#made(message)
    this.#known.set(id, made)
    bound(this.#known)
    return await made
  }

  async #made({ notification }: OutMessage): Promise<Picture | undefined> {
    const { clock, log } = this.#deps
    const alert = notification.alerts.find(({ expression }) => expression !== undefined && expression !== '')
    if (alert?.expression === undefined) return undefined
    const waited = new AbortController()
    const late = clock.after(WAIT_MS, () => waited.abort())
    try {
      return await Promise.race([
        this.#drawn(alert, alert.expression),
        new Promise<undefined>((resolve) => {
          waited.signal.addEventListener('abort', () => resolve(undefined))
        }),
      ])
    } catch (error) {
      log.warn('a chart could not be drawn', { expression: alert.expression.slice(0, 200), error: String(error) })
      return undefined
    } finally {
      late()
    }
  }

  async #drawn(alert: NotifiedAlert, expression: string): Promise<Picture | undefined> {
    const { series, clock, externalUrl } = this.#deps
    const range = rangeOf(alert, clock.now())
    const step = Math.max(STEP_MIN, Math.ceil((range.end - range.start) / STEPS / 1000) * 1000)
    const all = await series(expression, range, step)
    const own = all.filter(({ labels }) => isOf(labels, alert.labels))
    const shown = own.length > 0 ? own : all
    if (shown.every(({ values }) => values.every((value) => value === null))) return undefined
    const threshold = Number(alert.annotations['threshold'] ?? Number.NaN)
    const summary = summaryOf(alert)
    const png = drawChart({
      title: summary,
      series: shown.map(({ labels, times, values }) => ({ name: labels['__name__'] ?? '', times, values })),
      range,
      threshold: Number.isNaN(threshold) ? undefined : threshold,
      marks: [{ at: alert.startsAt, label: 'fired' }, ...(alert.status === 'resolved' && alert.endsAt !== undefined ? [{ at: alert.endsAt, label: 'resolved' }] : [])],
    })
    const id = randomBytes(16).toString('hex')
    this.#pngs.set(id, png)
    bound(this.#pngs)
    return { png, alt: `${expression} around ${new Date(alert.startsAt).toISOString().slice(0, 16)}Z`, url: isPublicUrl(externalUrl) ? `${externalUrl}${PATH}${id}.png` : undefined }
  }
}

function bound(map: Map<string, unknown>): void {
  if (map.size <= KEPT_MAX) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
