// What a soak found, as Markdown.
import { type Slope, slopeOf } from './slope.ts'
import type { Sample, SoakResult } from './soak.ts'

/** Bytes a request from which on something leaks: an object of 24 bytes that stays of one request in 48. */
const LEAK = 0.5
const MIB = 2 ** 20

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const whole: Intl.NumberFormat = new Intl.NumberFormat('en')

export type Verdict = 'no leak' | 'a leak' | 'not told apart'

/** By the interval: below, above or across half a byte a request. */
export function verdictOf({ low, high }: Slope): Verdict {
  if (high < LEAK) return 'no leak'
  return low > LEAK ? 'a leak' : 'not told apart'
}

/** Requests in which caches fill and code is compiled. */
const FILLING = 20_000

/** The samples after a fifth of the requests, and after 20,000 of them where the run is long enough for both. */
export function settled(samples: readonly Sample[]): readonly Sample[] {
  const last = samples.at(-1)?.requests ?? 0
  return samples.filter(({ requests }) => requests >= Math.max(last / 5, Math.min(FILLING, last / 2)))
}

/** The heap with the buffers it holds. */
export function heldBytes({ heapBytes, externalBytes }: Sample): number {
  return heapBytes + externalBytes
}

function slopeRow(name: string, of: (sample: Sample) => number, samples: readonly Sample[], isJudged: boolean): string {
  const slope = slopeOf(samples.map((sample) => [sample.requests, of(sample)] as const))
  const total = ((samples.at(-1)?.requests ?? 0) * slope.median) / MIB
  return `| ${name} | ${digits.format(slope.median)} (${digits.format(slope.low)} to ${digits.format(slope.high)}) | ${digits.format(total)} | ${isJudged ? verdictOf(slope) : '–'} |`
}

const handles = ({ resources }: Sample): number => Object.values(resources).reduce((sum, count) => sum + count, 0)

/** About 20 of the samples, the first and the last among them. */
function some(samples: readonly Sample[]): readonly Sample[] {
  const step = Math.max(1, Math.ceil(samples.length / 20))
  return samples.filter((_, index) => index === 0 || index === samples.length - 1 || (index + 1) % step === 0)
}

/** @param machine - the machine and its Node, in a line */
export function reportOf({ samples, counted, answered, light }: SoakResult, machine: string): string {
  const used = settled(samples)
  const last = samples.at(-1)
  return [
    `### Soak: ${whole.format(answered)} requests under the agent`,
    '',
    '| after a collection | bytes a request (95 % interval) | MiB over the run | verdict |',
    '|---|---|---|---|',
    slopeRow('heap and buffers', heldBytes, used, true),
    slopeRow('resident', ({ residentBytes }) => residentBytes, used, false),
    '',
    '| requests | heap MiB | buffers MiB | resident MiB | files | handles |',
    '|---|---|---|---|---|---|',
    ...some(samples).map((sample) => `| ${whole.format(sample.requests)} | ${digits.format(sample.heapBytes / MIB)} | ${digits.format(sample.externalBytes / MIB)} | ${digits.format(sample.residentBytes / MIB)} | ${sample.files} | ${handles(sample)} |`),
    '',
    `Fastify with JSON, ${light ? '5 % with two statements, 75 % without one' : 'two statements'}, 5 % unique statements, 5 % calls to another service, 5 % errors, 5 % unknown paths (the first 12,000 are all unique), a quarter with headers and a user agent that come once, connections made anew; a stub answers for PostgreSQL. The slope is Theil and Sen's over the ${used.length} samples from ${whole.format(used[0]?.requests ?? 0)} requests on; its interval takes them as independent. A leak is ${LEAK} bytes a request or more. The agent counted ${whole.format(counted)} requests, of ${whole.format(answered)} answered and some that were given up by the client. ${digits.format((last?.afterMs ?? 0) / 60_000)} minutes. ${machine}.`,
    '',
  ].join('\n')
}
