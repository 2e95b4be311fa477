// The table of an application's cost.
import { machine } from '@andon/bench'
import { median } from '@andon/model'
import type { Subject } from '../subjects/subjects.ts'
import { cpu, type Goals, goalsTable } from './goals.ts'
import type { Sample } from './sample.ts'
import type { Shares } from './where.ts'

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** The median with smallest and largest. */
export function spread(values: readonly number[]): string {
  if (values.length === 1) return digits.format(values[0] ?? Number.NaN)
  return `${digits.format(median(values))} (${digits.format(Math.min(...values))} to ${digits.format(Math.max(...values))})`
}

/** Above this a share is no accident of sampling. */
const FULL = 0.9999

/** The worst round's share of requests, among those that were to be traced, that have exactly their spans. */
function completeShare({ share }: Subject, samples: readonly Sample[]): number {
  return Math.min(...samples.map(({ requests, seen }) => seen.complete / (share === 1 ? requests : Math.max(1, seen.recorded))))
}

/** What is wrong with the spans of a subject of ours; undefined when each request has its own. */
export function fault(subject: Subject, samples: readonly Sample[]): string | undefined {
  if (subject.sends !== 'ours') return undefined
  const complete = completeShare(subject, samples)
  if (complete < FULL || complete > 1) return `${digits.format(complete * 100)} % of its requests have exactly their spans`
  const strays = Math.max(...samples.map(({ seen }) => seen.strays))
  if (strays > 0) return `${strays} statements joined no request`
  // Beyond the share it keeps what is slow, failed or rare.
  const { share } = subject
  if (share === undefined) return undefined
  const recorded = samples.map(({ requests, seen }) => seen.recorded / requests)
  return recorded.every((each) => each > share * 0.8 && each < share * 2) ? undefined : `${digits.format(median(recorded) * 100)} % of its requests were traced`
}

function deliveredBy(subject: Subject, samples: readonly Sample[]): string {
  if (subject.sends === 'nothing') return '– | –'
  const each = samples.map(({ requests, seen }) => seen.spans / (subject.share === 1 ? requests : seen.recorded))
  const complete = `${digits.format(completeShare(subject, samples) * 100)} %`
  const recorded = median(samples.map(({ requests, seen }) => seen.recorded / requests))
  return `${digits.format(median(each))} | ${subject.share === 1 ? complete : `${complete} of ${digits.format(recorded * 100)} %`}`
}

function row(subject: Subject, samples: readonly Sample[], bare: readonly Sample[]): string {
  const wrong = fault(subject, samples)
  if (wrong !== undefined) return `| ${subject.name} | void: ${wrong} | | | | | | | | | |`
  const against = (of: (sample: Sample, base: Sample) => number): number[] => samples.flatMap((sample, round) => (bare[round] === undefined ? [] : [of(sample, bare[round])]))
  const columns = [
    against((sample, base) => sample.perSecond / base.perSecond),
    samples.map(cpu),
    samples.map(({ userUs }) => userUs),
    samples.map(({ systemUs }) => systemUs),
    against((sample, base) => cpu(sample) - cpu(base)),
    samples.map(({ p50 }) => p50),
    samples.map(({ p99 }) => p99),
    samples.map(({ residentMb }) => residentMb),
  ]
  return `| ${subject.name} | ${columns.map(spread).join(' | ')} | ${deliveredBy(subject, samples)} |`
}

/** Whose code took how long in a run that was profiled. */
export interface Where {
  readonly subject: string
  readonly requests: number
  readonly shares: Shares
}

export interface Run {
  readonly title: string
  readonly goals: Goals
  readonly where: readonly Where[]
  readonly rounds: number
  /** Of each subject in a round, one after the other. */
  readonly turns: number
  readonly seconds: number
  readonly connections: number
  /** Who else is on the other core. */
  readonly others: string
}

/** Microseconds a request by whose code it is, of the runs that were profiled. */
function whereTable(where: readonly Where[]): string[] {
  const [bare, ours] = where
  if (bare === undefined || ours === undefined) return []
  const each = (of: Where, part: string): number => (of.shares[part] ?? 0) / of.requests
  const parts = [...new Set(where.flatMap(({ shares }) => Object.keys(shares)))].toSorted((a, b) => each(ours, b) - each(bare, b) - each(ours, a) + each(bare, a))
  const cells = (part: string): string => [each(bare, part), each(ours, part), each(ours, part) - each(bare, part)].map((value) => value.toFixed(1)).join(' | ')
  return ['', `Where the time goes, µs a request, by one run of each under a profiler (2,000 samples a second, which costs as well):`, '', `| whose code | ${bare.subject} | ${ours.subject} | added |`, '|---|---|---|---|', ...parts.map((part) => `| ${part} | ${cells(part)} |`)]
}

/** The table, and below it what it needs to be read rightly. */
export function applicationReport(run: Run, subjects: readonly Subject[], samples: ReadonlyMap<string, readonly Sample[]>): string {
  const bare = samples.get('bare') ?? []
  const notes = subjects.map(({ note }) => note).filter((note) => note !== '')
  return [
    `### ${run.title}, ${run.connections} connection${run.connections === 1 ? '' : 's'}`,
    '',
    '| subject | requests per second ÷ bare | CPU µs per request | of it user | of it system | added µs | p50 ms | p99 ms | resident MiB | spans per request | requests with exactly their spans |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...subjects.map((subject) => row(subject, samples.get(subject.name) ?? [], bare)),
    '',
    ...goalsTable(run.goals, samples),
    ...whereTable(run.where),
    '',
    `Medians of ${run.rounds} rounds (smallest to largest), each against the bare application of its round; "bare again" is the noise floor. In a round all applications are started anew and take ${run.turns} turns of ${run.seconds} s each while the others wait. ` +
      `The application on one core; load, ${run.others} and the collector on the other. Every span is read: a request counts when it has one span of the server and below it exactly two statements. ` +
      'CPU includes sending everything that was recorded, also what was sent after the load had ended. A row of ours that loses a span is void; a peer is timed with its loss stated. ' +
      'System time depends on how busy the other core is: in a virtual machine, waking a process that sleeps there cost the application up to 20 µs per request, so compare rows of one table only.',
    ...(notes.length > 0 ? ['', `${notes.join('; ')}.`] : []),
    '',
    `${machine()}.`,
    '',
  ].join('\n')
}
