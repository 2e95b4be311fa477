// What was aimed at, beside what was measured.
import { median } from '@andon/model'
import { BARE } from '../subjects/subjects.ts'
import type { Sample } from './sample.ts'

export interface Goals {
  /** CPU microseconds a request that ours adds; absent where none were set. */
  readonly addedUs?: number
  /** The same, as a share of what the OpenTelemetry SDK adds. */
  readonly ofOpenTelemetry: number
  /** Requests per second as a share of bare; absent where none was set. */
  readonly throughput?: number
  readonly residentMb: number
  readonly profilingResidentMb: number
}

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

type Samples = ReadonlyMap<string, readonly Sample[]>

/** The median over rounds of what a run has against the bare one of its round. */
function against(samples: Samples, subject: string, of: (sample: Sample, base: Sample) => number): number | undefined {
  const bare = samples.get('bare') ?? []
  const found = (samples.get(subject) ?? []).flatMap((sample, round) => (bare[round] === undefined ? [] : [of(sample, bare[round])]))
  return found.length === 0 ? undefined : median(found)
}

/** CPU microseconds of a request. */
export const cpu = ({ userUs, systemUs }: Sample): number => userUs + systemUs

const p99Ratio = (sample: Sample, base: Sample): number => sample.p99 / base.p99

/** A row of the table, or none where its runs were left out. */
function row(goal: string, found: number | undefined, isKept: (found: number) => boolean, unit = ''): string[] {
  return found === undefined ? [] : [`| ${goal} | ${digits.format(found)}${unit} | ${isKept(found) ? 'kept' : 'missed'} |`]
}

/** Goals and what came of them. */
export function goalsTable({ addedUs, ofOpenTelemetry, throughput, residentMb, profilingResidentMb }: Goals, samples: Samples): string[] {
  const added = (subject: string): number | undefined => against(samples, subject, (sample, base) => cpu(sample) - cpu(base))
  const resident = (subject: string): number | undefined => against(samples, subject, (sample, base) => sample.residentMb - base.residentMb)
  const [ours, theirs] = [added('andon'), added('OpenTelemetry SDK')]
  const slower = against(samples, 'andon', p99Ratio)
  const again = (samples.get(BARE[1]?.name ?? '') ?? []).flatMap((sample, round) => {
    const base = samples.get('bare')?.[round]
    return base === undefined ? [] : [p99Ratio(sample, base)]
  })
  const noise = again.length === 0 ? undefined : { low: Math.min(...again), high: Math.max(...again) }
  return [
    '| goal | measured | |',
    '|---|---|---|',
    ...(addedUs === undefined ? [] : row(`andon adds at most ${addedUs} µs of CPU a request`, ours, (found) => found <= addedUs, ' µs')),
    ...row(`and at most ${digits.format(ofOpenTelemetry)} of what the OpenTelemetry SDK adds`, ours === undefined || theirs === undefined ? undefined : ours / theirs, (found) => found <= ofOpenTelemetry),
    ...(throughput === undefined ? [] : row(`throughput of at least ${throughput} of bare`, against(samples, 'andon', (sample, base) => sample.perSecond / base.perSecond), (found) => found >= throughput)),
    ...(noise === undefined ? [] : row(`p99 within the noise, ${digits.format(noise.low)} to ${digits.format(noise.high)} of bare`, slower, (found) => found <= noise.high)),
    ...row(`resident at most ${residentMb} MiB more`, resident('andon'), (found) => found <= residentMb, ' MiB'),
    ...row(`with the profile at most ${profilingResidentMb} MiB more`, resident('andon, profiling'), (found) => found <= profilingResidentMb, ' MiB'),
  ]
}
