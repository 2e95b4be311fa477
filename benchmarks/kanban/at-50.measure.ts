// What the agent with everything on costs the kanban at a team's traffic: CPU per request, and share of a core.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { machine, type MeasureOptions } from '@andon/bench'
import { APPLICATION_CORE, ask, OTHER_CORE, pin, startProgram, stopProgram } from '../agent/application/child.ts'
import type { Completeness } from '../agent/application/complete.ts'
import { startEmbedded } from '../agent/application/postgres.ts'
import type { Usage } from '../agent/application/usage.ts'
import { ANDON, BARE, type Subject } from '../agent/subjects/subjects.ts'
import { meanDifference } from '../agent/difference.ts'
import { createDatabases, type Kanban, startKanban } from './kanban.ts'

const PER_SECOND = 50
/** No divisor of a minute, so that what the agent does once a minute falls into all parts of a block. */
const BLOCK_SECONDS = 17
/** What was recorded last is sent within. */
const TAIL_MS = 1500
/** The share of a core that the agent may take. */
const GOAL = 0.02

// Without its budget, as in all rows that claim every request.
const PROFILED: Subject = {
  ...ANDON,
  name: 'andon: traces, metrics, profiles',
  env: (collector) => ({ ...ANDON.env(collector), OTEL_SERVICE_NAME: 'kanban', ANDON_PROFILE: 'on' }),
}
const SUBJECTS: readonly Subject[] = [...BARE, PROFILED]

interface Measured extends Kanban {
  /** CPU milliseconds per request, block by block. */
  readonly blocks: number[]
}

async function runBlock({ program, load, blocks }: Measured, seconds: number, isCounted: boolean): Promise<void> {
  const cpuMs = async (): Promise<number> => {
    const { userUs, systemUs } = await ask<Usage>(program, 'usage')
    return (userUs + systemUs) / 1000
  }
  const before = await cpuMs()
  const requests = await load.run(PER_SECOND, seconds)
  await wait(TAIL_MS)
  if (isCounted) blocks.push(((await cpuMs()) - before) / requests)
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
/** CPU milliseconds of a request as a share of one core. */
const shareOf = (ms: number): number => (ms * PER_SECOND) / 1000
const percent = (share: number): string => `${digits.format(share * 100)} %`

function row({ subject, blocks }: Measured, bare: Measured): string {
  const mean = blocks.reduce((sum, each) => sum + each, 0) / blocks.length
  const added = meanDifference(blocks, bare.blocks)
  return `| ${subject.name} | ${digits.format(mean)} | ${digits.format(added.mean)} (${digits.format(added.low)} to ${digits.format(added.high)}) | ${percent(shareOf(mean))} | ${percent(shareOf(added.mean))} (${percent(shareOf(added.low))} to ${percent(shareOf(added.high))}) |`
}

function verdict(ours: Measured, bare: Measured): string {
  const { low, high } = meanDifference(ours.blocks, bare.blocks)
  const word = shareOf(high) < GOAL ? 'kept' : shareOf(low) > GOAL ? 'missed' : 'neither kept nor missed by these runs'
  return `The goal, under ${percent(GOAL)} of one core, is ${word}.`
}

function report(kanbans: readonly Measured[], seconds: number, seen: Completeness): string {
  const [bare] = kanbans
  const ours = kanbans.at(-1)
  if (bare === undefined || ours === undefined) return ''
  const { requests } = ours.load
  const isComplete = seen.recorded === requests
  return [
    `### The kanban at ${PER_SECOND} requests per second`,
    '',
    '| subject | CPU ms per request | added (95 % interval) | share of one core | added (95 % interval) |',
    '|---|---|---|---|---|',
    ...kanbans.map((each) => (each === ours && !isComplete ? `| ${each.subject.name} | void: ${seen.recorded} of ${requests} requests were traced | | | |` : row(each, bare))),
    '',
    ...(isComplete ? [verdict(ours, bare), ''] : []),
    `Three kanbans alive together on one core, each with a database of its own and the same people doing the same things (reads and writes by the kanban's own traffic, begun at a fixed rate whatever the answers take); ` +
      `${bare.blocks.length} blocks of ${seconds} s for each, in turn forwards and backwards, and ${TAIL_MS / 1000} s for what is still to be sent. Means; intervals by a paired bootstrap over the blocks. "bare again" is the noise floor. ` +
      `PostgreSQL, load and collector on the other core. Every request of ours (${requests}) was looked for among the spans.`,
    '',
    `${machine()}.`,
    '',
  ].join('\n')
}

/** Blocks A B C C B A, so that what changes with time falls on all. */
async function runBlocks(kanbans: readonly Measured[], options: MeasureOptions, seconds: number): Promise<void> {
  // Until the profile, which leaves the start of a program out, has begun.
  for (const kanban of kanbans) await runBlock(kanban, Math.max(seconds, options.isQuick ? 0 : 12), false)
  for (let round = 0; round < options.rounds; round += 1) for (const kanban of [...kanbans, ...kanbans.toReversed()]) await runBlock(kanban, seconds, true)
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  pin(process.pid, OTHER_CORE)
  const seconds = options.isQuick ? 3 : BLOCK_SECONDS
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const ends: (() => Promise<void>)[] = [() => Promise.resolve(rmSync(folder, { recursive: true, force: true }))]
  try {
    const server = await startEmbedded(folder)
    ends.unshift(() => server.stop())
    const collector = await startProgram('collector.js', OTHER_CORE)
    ends.unshift(() => stopProgram(collector))
    const kanbans: Measured[] = []
    for (const [index, url] of (await createDatabases(server.connectionString, SUBJECTS.length)).entries()) {
      const subject = SUBJECTS[index]
      if (subject === undefined) continue
      const kanban = { ...(await startKanban(subject, url, `http://127.0.0.1:${collector.port}`, (pid) => pin(pid, APPLICATION_CORE))), blocks: [] }
      ends.unshift(() => stopProgram(kanban.program))
      kanbans.push(kanban)
    }
    await runBlocks(kanbans, options, seconds)
    for (const { program } of kanbans) await stopProgram(program)
    return report(kanbans, seconds, await ask<Completeness>(collector, 'check'))
  } finally {
    for (const end of ends) await end()
  }
}
