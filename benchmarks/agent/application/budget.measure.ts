// Whether the agent at its defaults keeps its budget: what it really costs, against the same application without it, at fixed rates and
// after the governor has had the time that it takes.
import { type MeasureOptions, machine } from '@andon/bench'
import { meanDifference } from '../difference.ts'
import { BARE, DEFAULTS, type Subject } from '../subjects/subjects.ts'
import { type Alive, startAlive, stopAlive } from './alive.ts'
import { ask, OTHER_CORE, pin } from './child.ts'
import type { Completeness } from './complete.ts'
import { startStub } from './measure.ts'
import { runPaced } from './paced.ts'
import type { Usage } from './usage.ts'

const RATES = [50, 200, 1000, 3000]
/** The governor looks at two minutes, and a step may be given back and taken again. */
const SETTLE_SECONDS = 200
const BLOCK_SECONDS = 17
const BLOCKS_PER_ROUND = 3
const BUDGET = 0.05

interface Running extends Alive {
  /** Shares of one core, block by block. */
  readonly shares: number[]
  requests: number
  leftOut: number
}

async function runBlock(running: Running, perSecond: number, seconds: number, isCounted: boolean): Promise<void> {
  const before = await ask<Usage>(running.application, 'usage')
  const began = performance.now()
  const { requests, leftOut } = await runPaced(running.application.port, perSecond, seconds)
  const after = await ask<Usage>(running.application, 'usage')
  running.requests += requests
  running.leftOut += leftOut
  if (isCounted) running.shares.push((after.userUs + after.systemUs - before.userUs - before.systemUs) / 1000 / (performance.now() - began))
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const percent = (share: number): string => `${digits.format(share * 100)} %`
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

async function rowOf(perSecond: number, subjects: readonly [Subject, Subject], databaseUrl: string, { rounds, isQuick }: MeasureOptions): Promise<string> {
  const running: Running[] = []
  try {
    for (const subject of subjects) running.push({ ...(await startAlive(subject, 'fastify', databaseUrl)), shares: [], requests: 0, leftOut: 0 })
    const [bare, ours] = running
    if (bare === undefined || ours === undefined) return ''
    // Both at once: each has its own load, and CPU is counted by process.
    const both = async (seconds: number, isCounted: boolean): Promise<void> => void (await Promise.all([bare, ours].map((each) => runBlock(each, perSecond, seconds, isCounted))))
    await both(isQuick ? 2 : SETTLE_SECONDS, false)
    // The traces of the time before are not counted.
    await ask<Completeness>(ours.collector, 'check')
    const settled = ours.requests
    for (let block = 0; block < rounds * BLOCKS_PER_ROUND; block += 1) await both(isQuick ? 2 : BLOCK_SECONDS, true)
    await ask<Usage>(ours.application, 'drain')
    const { recorded } = await ask<Completeness>(ours.collector, 'check')
    const { mean, low, high } = meanDifference(ours.shares, bare.shares)
    const word = high <= BUDGET ? 'kept' : low > BUDGET ? 'missed' : 'neither kept nor missed by these runs'
    const leftOut = bare.leftOut + ours.leftOut
    return `| ${perSecond.toLocaleString('en')}${leftOut > 0 ? ` (${leftOut} left out)` : ''} | ${percent(meanOf(bare.shares))} | ${percent(meanOf(ours.shares))} | ${percent(mean)} (${percent(low)} to ${percent(high)}) | ${word} | ${percent(recorded / Math.max(1, ours.requests - settled))} |`
  } finally {
    for (const each of running) await stopAlive(each)
  }
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  pin(process.pid, OTHER_CORE)
  const [bare] = BARE
  if (bare === undefined) throw new Error('no subjects')
  const database = await startStub()
  try {
    const rows: string[] = []
    for (const rate of RATES) rows.push(await rowOf(rate, [bare, DEFAULTS], database.url, options))
    return [
      '### What the agent at its defaults costs, and whether it keeps its budget',
      '',
      '| requests per second | bare, of one core | with the agent | added (95 % interval) | budget 5 % | requests traced |',
      '|---|---|---|---|---|---|',
      ...rows,
      '',
      `Fastify with JSON and two statements a request, the same application twice alive together on one core, one without an agent, each under a load of its own at a fixed rate; ${SETTLE_SECONDS} s for the governor to settle, then ${options.rounds * BLOCKS_PER_ROUND} blocks of ${BLOCK_SECONDS} s. CPU of each process; the interval by a paired bootstrap over the blocks. ` +
        'Everything on: traces, metrics, the continuous profile. A stub that answers for PostgreSQL, load and collector on the other core.',
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    await database.stop()
  }
}
