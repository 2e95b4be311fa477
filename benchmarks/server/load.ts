// Blocks of load on a server: what it takes meanwhile, and how that is told.
import { cpuOf, type Job, PeakMemory, type Sender, type Sent, untilQuiet } from '@andon/bench'
import type { Bytes, Milliseconds } from '@andon/model'
import type { Server } from './programs.ts'

/** How long is waited at most for what a server does after its last answer. */
const AFTERWARDS_MS: Milliseconds = 5000

/** A block of load on one server. */
export interface Block {
  readonly sent: Sent
  /** CPU of the server until it rests again. */
  readonly cpuMs: Milliseconds
  readonly peakBytes: Bytes
}

/** Sends a job to a server, and counts what it uses until it rests again. */
export async function loadBlock(sender: Sender, server: Server, job: Job): Promise<Block> {
  const before = cpuOf(server.pid)
  const memory = new PeakMemory(server.pid)
  const sent = await sender.send(job)
  await untilQuiet(server.pid, AFTERWARDS_MS)
  return { sent, cpuMs: cpuOf(server.pid) - before, peakBytes: memory.stop() }
}

const MIB = 2 ** 20

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** The middle value with smallest and largest. */
export function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return sorted.length < 2 ? digits.format(middle) : `${digits.format(middle)} (${digits.format(sorted[0] ?? Number.NaN)} to ${digits.format(sorted.at(-1) ?? Number.NaN)})`
}

export const perSecond = ({ sent }: Block): number => sent.items / sent.seconds
export const cpuPerThousand = ({ sent, cpuMs }: Block): number => (cpuMs * 1000) / sent.items
export const peakMib = ({ peakBytes }: Block): number => peakBytes / MIB

function latency({ sent }: Block, q: number): number {
  return sent.latencies[Math.min(sent.latencies.length - 1, Math.floor(q * sent.latencies.length))] ?? Number.NaN
}

/** The head of a table of blocks. */
export function blockHead(unit: string): string[] {
  return [`| server | ${unit} per second | CPU ms per 1,000 | largest resident MiB | request p50 ms | p99 ms | sender's CPU ms per 1,000 |`, '|---|---|---|---|---|---|---|']
}

export function blockRow(name: string, blocks: readonly Block[]): string {
  const sender = blocks.map(({ sent }) => (sent.cpuMs * 1000) / sent.items)
  return `| ${name} | ${[blocks.map(perSecond), blocks.map(cpuPerThousand), blocks.map(peakMib), blocks.map((block) => latency(block, 0.5)), blocks.map((block) => latency(block, 0.99)), sender].map(spread).join(' | ')} |`
}

/** What is said of a goal that is a least number. */
export function verdict(what: string, goal: number, values: readonly number[], isLeast: boolean): string {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  const isKept = isLeast ? value >= goal : value <= goal
  const share = isLeast ? value / goal : goal / value
  return `${what}: goal ${isLeast ? 'at least' : 'at most'} ${digits.format(goal)}, measured ${digits.format(value)}: ${isKept ? 'kept' : `missed, ${digits.format(share * 100)} % of it`}.`
}
