// Range queries asked of one or two servers in turn, their times and whether their answers agree.
import { median, quantile } from '@andon/model'
import type { Server } from './programs.ts'

export interface Question {
  readonly name: string
  readonly expression: string
  /** Seconds since 1970, and seconds. */
  readonly start: number
  readonly end: number
  readonly step: number
  /** Milliseconds in which Andon should answer. */
  readonly goalMs: number
}

interface RangeAnswer {
  readonly data: { readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly values: readonly (readonly [number, string])[] }[] }
}

export interface Asked {
  readonly question: Question
  /** Milliseconds, of each server in the order of the servers. */
  readonly times: readonly (readonly number[])[]
  /** Points of the answer. */
  readonly points: number
  /** The largest relative difference between the first server's answer and the second's. */
  readonly difference: number
  /** Points that only one of them has. */
  readonly unshared: number
}

async function ask({ url, name }: Server, { expression, start, end, step }: Question): Promise<{ readonly ms: number; readonly text: string }> {
  const query = new URLSearchParams({ query: expression, start: String(start), end: String(end), step: String(step) })
  const begun = performance.now()
  const response = await fetch(`${url}/api/v1/query_range?${query.toString()}`)
  const text = await response.text()
  const ms = performance.now() - begun
  if (response.status !== 200) throw new Error(`${name} answered ${response.status} to ${expression}: ${text.slice(0, 300)}`)
  return { ms, text }
}

/** Values by labels and time. */
function valuesOf(text: string): Map<string, number> {
  const { data }: RangeAnswer = JSON.parse(text)
  const values = new Map<string, number>()
  for (const { metric, values: points } of data.result) {
    const labels = Object.entries(metric).map((pair) => pair.join('=')).toSorted().join()
    for (const [at, value] of points) values.set(`${labels} ${at}`, Number(value))
  }
  return values
}

function differenceOf(first: ReadonlyMap<string, number>, second: ReadonlyMap<string, number>): Pick<Asked, 'difference' | 'unshared'> {
  let difference = 0
  let shared = 0
  for (const [key, value] of first) {
    const other = second.get(key)
    if (other === undefined) continue
    shared += 1
    difference = Math.max(difference, Math.abs(value - other) / Math.max(1e-9, Math.abs(other)))
  }
  return { difference, unshared: first.size + second.size - 2 * shared }
}

/** Asks a question so often of each server, in turn forwards and backwards, after two times that are not counted. */
export async function askAll(servers: readonly Server[], question: Question, times: number): Promise<Asked> {
  const found = servers.map((): number[] => [])
  const answers = servers.map(() => new Map<string, number>())
  for (let round = -2; round < times; round += 1) {
    const order = [...servers.keys()]
    for (const index of round % 2 === 0 ? order : order.toReversed()) {
      const server = servers[index]
      if (server === undefined) continue
      const { ms, text } = await ask(server, question)
      if (round >= 0) found[index]?.push(ms)
      else answers[index] = valuesOf(text)
    }
  }
  const [first = new Map<string, number>(), second] = answers
  if (first.size === 0) throw new Error(`${question.name}: the answer is empty`)
  return { question, times: found, points: first.size, ...(second === undefined ? { difference: 0, unshared: 0 } : differenceOf(first, second)) }
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

function timesOf(times: readonly number[] | undefined): string {
  if (times === undefined || times.length === 0) return '–'
  return `${digits.format(median(times))} / ${digits.format(quantile(times.toSorted((a, b) => a - b), 0.95))}`
}

/** Whether the servers answer alike. @param tolerance - relative */
export function agreement(all: readonly Asked[], tolerance: number): string {
  const largest = Math.max(...all.map(({ difference }) => difference))
  const unshared = all.reduce((sum, each) => sum + each.unshared, 0)
  const values = largest <= tolerance ? `agree to ${largest.toExponential(0)}` : `DIFFER by up to ${largest.toExponential(1)}, more than ${tolerance}`
  return `The answers of both ${values}${unshared === 0 ? '' : `; ${unshared} points ONLY ONE of them has`}.`
}

/** A table of questions: middle and 95th percentile of each server. */
export function questionTable(servers: readonly Server[], all: readonly Asked[]): string[] {
  return [
    `| query | steps × series of the answer | ${servers.map(({ name }) => `${name} p50 / p95 ms`).join(' | ')} | goal ms | |`,
    `|---|---|${servers.map(() => '---|').join('')}---|---|`,
    ...all.map(({ question, times, points }) => {
      const steps = Math.floor((question.end - question.start) / question.step) + 1
      return `| ${question.name}: \`${question.expression}\` | ${steps} × ${Math.round(points / steps)} | ${servers.map((_, index) => timesOf(times[index])).join(' | ')} | ${question.goalMs} | ${median(times[0] ?? []) <= question.goalMs ? 'kept' : 'missed'} |`
    }),
  ]
}
