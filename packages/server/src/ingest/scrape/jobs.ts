// What is to be scraped, as andon.yaml says it.
import { readFileSync } from 'node:fs'
import type { Labels, Milliseconds } from '@andon/model'
import { parseDuration } from '@andon/promql'

export interface ScrapeJob {
  readonly job: string
  /** `host:port` of each target. */
  readonly targets: readonly string[]
  readonly scheme: 'http' | 'https'
  readonly path: string
  readonly intervalMs: Milliseconds
  readonly timeoutMs: Milliseconds
  readonly labels: Labels
  readonly headers: Readonly<Record<string, string>>
  /** Samples of one answer; more of them are refused as a whole. */
  readonly sampleLimit: number
}

/** What completes "scrape must be …". */
export const SCRAPE_KIND = 'a list of {job, targets: [host:port], path, scheme, interval, timeout, labels, sample_limit, token_file}'
const KEYS: ReadonlySet<string> = new Set(['job', 'targets', 'path', 'scheme', 'interval', 'timeout', 'labels', 'sample_limit', 'token_file'])
const INTERVAL: Milliseconds = 15_000
const TIMEOUT: Milliseconds = 10_000
const SAMPLE_LIMIT = 50_000
const HOST = /^(?:\[[\da-f:.]+\]|[^\s/?#@:]+):\d{1,5}$/i

/** Tells what is wrong; never returns. */
export type Refuse = (problem: string) => never

function duration(value: unknown, fallback: Milliseconds, key: string, refuse: Refuse): Milliseconds {
  if (value === undefined) return fallback
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  return ms !== undefined && ms >= 1000 && ms <= 86_400_000 ? ms : refuse(`given with ${key} as a duration of 1s to 1d, such as 15s`)
}

function labelsOf(value: unknown, refuse: Refuse): Labels {
  if (value === undefined) return {}
  const entries: [string, unknown][] = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : refuse('given with labels as NAME: TEXT')
  return Object.fromEntries(entries.map(([name, text]) => (/^[a-zA-Z_]\w*$/.test(name) && !name.startsWith('__') && typeof text === 'string' ? [name, text] : refuse(`given with labels as NAME: TEXT; "${name}" is not one`))))
}

function headersOf(file: unknown, refuse: Refuse): Readonly<Record<string, string>> {
  if (file === undefined) return {}
  if (typeof file !== 'string') return refuse('given with token_file as a path')
  try {
    return { authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` }
  } catch (error) {
    return refuse(`given with a token_file that can be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function targetsOf(value: unknown, refuse: Refuse): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse('given with targets as a list of host:port')
  return value.map((each: unknown) => (typeof each === 'string' && HOST.test(each) ? each : refuse(`given with targets as host:port, not ${JSON.stringify(each)}`)))
}

function placeOf(given: ReadonlyMap<string, unknown>, refuse: Refuse): Pick<ScrapeJob, 'scheme' | 'path'> {
  const path = given.get('path') ?? '/metrics'
  const scheme = given.get('scheme') ?? 'http'
  if (typeof path !== 'string' || !path.startsWith('/')) return refuse('given with path beginning with /')
  return scheme === 'http' || scheme === 'https' ? { scheme, path } : refuse('given with scheme http or https')
}

function readJob(value: unknown, refuse: Refuse): ScrapeJob {
  const given = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : refuse(SCRAPE_KIND))
  const unknown = [...given.keys()].find((key) => !KEYS.has(key))
  if (unknown !== undefined) refuse(`${SCRAPE_KIND}; "${unknown}" is none of these`)
  const job = given.get('job')
  const sampleLimit = given.get('sample_limit') ?? SAMPLE_LIMIT
  if (typeof job !== 'string' || job === '') return refuse('given with a name: job')
  if (typeof sampleLimit !== 'number' || !Number.isSafeInteger(sampleLimit) || sampleLimit < 1) return refuse('given with sample_limit as a whole number from 1')
  const intervalMs = duration(given.get('interval'), INTERVAL, 'interval', refuse)
  const timeoutMs = duration(given.get('timeout'), Math.min(TIMEOUT, intervalMs), 'timeout', refuse)
  if (timeoutMs > intervalMs) return refuse('given with a timeout that is not longer than the interval')
  return { job, targets: targetsOf(given.get('targets'), refuse), ...placeOf(given, refuse), intervalMs, timeoutMs, labels: labelsOf(given.get('labels'), refuse), headers: headersOf(given.get('token_file'), refuse), sampleLimit }
}

/** The jobs of the option `scrape`. */
export function readJobs(value: unknown, refuse: Refuse): ScrapeJob[] {
  const jobs = Array.isArray(value) ? value.map((each) => readJob(each, refuse)) : refuse(SCRAPE_KIND)
  const twice = jobs.find(({ job }, index) => jobs.findIndex((other) => other.job === job) !== index)
  return twice === undefined ? jobs : refuse(`a list without the job "${twice.job}" twice`)
}
