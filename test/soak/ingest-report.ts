// What a soak of ingest found, as Markdown.
import type { Held, IngestResult } from './ingest.ts'
import { type Slope, slopeOf } from './slope.ts'

const MIB = 2 ** 20
/** MiB an hour from which on memory is not flat: it would take a day to double half a GiB. */
const GROWS = 20

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const whole: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

export type Flatness = 'flat' | 'grows' | 'not told apart'

/** By the interval of the slope in MiB an hour. */
export function flatnessOf({ low, high }: Pick<Slope, 'low' | 'high'>): Flatness {
  if (high < GROWS) return 'flat'
  return low > GROWS ? 'grows' : 'not told apart'
}

/** The samples after a fifth of the time, in which caches fill. */
export function settledHeld(held: readonly Held[]): readonly Held[] {
  const last = held.at(-1)?.afterMs ?? 0
  return held.filter(({ afterMs }) => afterMs >= last / 5)
}

function slopeRow(name: string, of: (held: Held) => number, held: readonly Held[]): string {
  const slope = slopeOf(held.map((each) => [each.afterMs / 3_600_000, of(each) / MIB] as const))
  return `| ${name} | ${digits.format(slope.median)} (${digits.format(slope.low)} to ${digits.format(slope.high)}) | ${flatnessOf(slope)} |`
}

/** About 20 of the samples, the first and the last among them. */
function some(held: readonly Held[]): readonly Held[] {
  const step = Math.max(1, Math.ceil(held.length / 20))
  return held.filter((_, index) => index === 0 || index === held.length - 1 || (index + 1) % step === 0)
}

/** Share of one core over the whole run. */
function coreShare(held: readonly Held[]): number {
  const [first] = held
  const last = held.at(-1)
  return first === undefined || last === undefined || last === first ? Number.NaN : (last.cpuMs - first.cpuMs) / (last.afterMs - first.afterMs)
}

/** @param machine - the machine and its Node, in a line */
export function ingestReport({ held, top, sent, acknowledged, stored, minutes }: IngestResult, machine: string): string {
  const used = settledHeld(held)
  return [
    `### Soak: ${digits.format(minutes)} minutes of ingest at half of the top rate`,
    '',
    '| | MiB an hour (95 % interval) | |',
    '|---|---|---|',
    slopeRow('heap', ({ heapBytes }) => heapBytes, used),
    slopeRow('resident', ({ residentBytes }) => residentBytes, used),
    '',
    '| | at full speed, alone | sent, both together | acknowledged | stored |',
    '|---|---|---|---|---|',
    `| spans | ${whole.format(top.spans)}/s | ${whole.format(sent.spans)}/s | ${whole.format(acknowledged.spans)} | ${whole.format(stored.spans)} |`,
    `| samples | ${whole.format(top.samples)}/s | ${whole.format(sent.samples)}/s | ${whole.format(acknowledged.samples)} | ${whole.format(stored.samples)} |`,
    '',
    '| minutes | heap MiB | buffers MiB | resident MiB | CPU s |',
    '|---|---|---|---|---|',
    ...some(held).map((each) => `| ${digits.format(each.afterMs / 60_000)} | ${digits.format(each.heapBytes / MIB)} | ${digits.format(each.externalBytes / MIB)} | ${digits.format(each.residentBytes / MIB)} | ${whole.format(each.cpuMs / 1000)} |`),
    '',
    `OTLP over HTTP: spans of 64 processes and samples of 400 processes with 97 series each, each kind at a quarter of what the server takes of it alone, together half of what it can take; ${digits.format(coreShare(held) * 100)} % of one core. ` +
      `The heap is the least that was seen between two samples, so that most garbage is left out. Slopes are Theil and Sen's over the ${used.length} samples after a fifth of the time. Memory is flat when it grows by less than ${GROWS} MiB an hour. Of each resource the server stores a series more than is sent. ${machine}.`,
    '',
  ].join('\n')
}
