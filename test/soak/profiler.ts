// The profiler over simulated hours, in a process of its own, as Markdown.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { root } from '../repository/root.ts'
import { slopeOf } from './slope.ts'

interface Hour {
  readonly hour: number
  readonly heapBytes: number
  readonly mallocedBytes: number
  readonly residentBytes: number
}

const PROGRAM = pathToFileURL(join(root, 'packages/agent/dist/profile/hours.test.js')).href
const KIB = 1024
/** KiB an hour from which on something leaks: 24 MiB in a thousand hours. */
const LEAK = 24

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

function row(name: string, of: (hour: Hour) => number, hours: readonly Hour[], isJudged: boolean): string {
  const { median, low, high } = slopeOf(hours.map((hour) => [hour.hour, of(hour) / KIB] as const))
  const verdict = high < LEAK ? 'no leak' : low > LEAK ? 'a leak' : 'not told apart'
  return `| ${name} | ${digits.format(median)} (${digits.format(low)} to ${digits.format(high)}) | ${isJudged ? verdict : '–'} |`
}

function some(hours: readonly Hour[]): readonly Hour[] {
  const step = Math.max(1, Math.ceil(hours.length / 20))
  return hours.filter((_, index) => index === 0 || index === hours.length - 1 || (index + 1) % step === 0)
}

/** @param node - the Node that runs it @param machine - the machine and its Node, in a line @returns a report in Markdown */
export async function soakProfiler(hours: number, node: string, machine: string): Promise<string> {
  const text = `const { simulateHours } = await import(${JSON.stringify(PROGRAM)}); await simulateHours(${hours}, (hour) => console.log(JSON.stringify(hour)))`
  const child = spawn(node, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  const found: Hour[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const hour: Hour = JSON.parse(line)
    found.push(hour)
    process.stderr.write(`${hour.hour} h, heap ${(hour.heapBytes / KIB / KIB).toFixed(2)} MiB, resident ${(hour.residentBytes / KIB / KIB).toFixed(1)} MiB\n`)
  })
  await once(child, 'close')
  if (found.length < hours) throw new Error(`it ended after ${found.length} of ${hours} hours`)
  const settled = found.filter(({ hour }) => hour >= hours / 5)
  return [
    `### Soak: ${hours} simulated hours of the continuous profile`,
    '',
    '| after a collection | KiB an hour (95 % interval) | verdict |',
    '|---|---|---|',
    row('heap and buffers', ({ heapBytes }) => heapBytes, settled, true),
    row("V8's own malloc", ({ mallocedBytes }) => mallocedBytes, settled, true),
    row('resident', ({ residentBytes }) => residentBytes, settled, true),
    '',
    '| hours | heap and buffers MiB | malloc MiB | resident MiB |',
    '|---|---|---|---|',
    ...some(found).map(({ hour, heapBytes, mallocedBytes, residentBytes }) => `| ${hour} | ${digits.format(heapBytes / KIB / KIB)} | ${digits.format(mallocedBytes / KIB / KIB)} | ${digits.format(residentBytes / KIB / KIB)} |`),
    '',
    `An hour is 60 windows of CPU and heap, sent and answered, with 200 requests of two contexts each in a window, six wishes of another rate (the sampler stops and starts) and six sessions. Time is injected. The slope is Theil and Sen's after a fifth of the hours. A leak is ${LEAK} KiB an hour or more. ${machine}.`,
    '',
  ].join('\n')
}
