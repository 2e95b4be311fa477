// The score of detectors on the corpus, as Markdown.
import type { Manifest, Part } from './recording.ts'
import { counts, delayOf, type Found, type Score } from './score.ts'

/** The standard normal quantile of a two-sided interval of 95 %. */
const Z = 1.959964

/**
 * The interval of 95 % of a share.
 *
 * @see Wilson 1927, Probable inference, the law of succession, and statistical inference
 * @example wilson(10, 10)[0] // 0.722…
 */
export function wilson(hits: number, all: number): [low: number, high: number] {
  if (all === 0) return [0, 1]
  const share = hits / all
  const middle = share + (Z * Z) / (2 * all)
  const width = Z * Math.sqrt((share * (1 - share)) / all + (Z * Z) / (4 * all * all))
  const scale = 1 + (Z * Z) / all
  return [Math.max(0, (middle - width) / scale), Math.min(1, (middle + width) / scale)]
}

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${(share * 100).toFixed(1)} %`)
const seconds = (milliseconds: number): string => (Number.isNaN(milliseconds) ? '–' : `${(milliseconds / 1000).toFixed(0)} s`)

function shareOf(hits: number, all: number): string {
  if (all === 0) return '–'
  const [low, high] = wilson(hits, all)
  return `${hits} of ${all}: ${percent(hits / all)} (${percent(low)} to ${percent(high)})`
}

function recallOf(found: readonly Found[]): string {
  return shareOf(found.filter(({ delayMs }) => delayMs !== undefined).length, found.length)
}

function row({ detector, found, trueIncidents, falseIncidents, quietMs, evaluations, firing, placebos, placeboHits }: Score): string {
  const due = found.filter(counts)
  const cells = [
    detector,
    recallOf(due),
    `${seconds(delayOf(due, 0.5))} / ${seconds(delayOf(due, 0.95))}`,
    shareOf(trueIncidents, trueIncidents + falseIncidents),
    `${falseIncidents} in ${(quietMs / 3_600_000).toFixed(1)} h`,
    percent(evaluations === 0 ? Number.NaN : firing / evaluations),
    percent(placebos === 0 ? Number.NaN : placeboHits / placebos),
  ]
  return `| ${cells.join(' | ')} |`
}

function ofKind({ found }: Score, kind: string): readonly Found[] {
  return found.filter(({ fault: { fault, strength } }) => `${fault} ${strength}` === kind)
}

function byFault(scores: readonly Score[]): string[] {
  const kinds = [...new Set(scores[0]?.found.map(({ fault: { fault, strength } }) => `${fault} ${strength}`))].toSorted()
  return [
    `| fault and strength | injected (with an effect) | ${scores.map(({ detector }) => detector).join(' | ')} |`,
    `|---|---|${scores.map(() => '---|').join('')}`,
    ...kinds.map((kind) => {
      const cells = scores.map((each) => {
        const found = ofKind(each, kind)
        const hits = found.filter(({ delayMs }) => delayMs !== undefined)
        return `${hits.length}${hits.length === 0 ? '' : `, ${seconds(delayOf(found, 0.5))}`}`
      })
      const all = scores[0] === undefined ? [] : ofKind(scores[0], kind)
      return `| ${kind} | ${all.length} (${all.filter(({ hasEffect }) => hasEffect).length}) | ${cells.join(' | ')} |`
    }),
  ]
}

export interface ReportOptions {
  readonly manifest: Manifest
  /** Hours of history that were put before each segment. */
  readonly historyHours: number
  /** Scores of the same detectors by part. */
  readonly scores: Readonly<Record<Part, readonly Score[]>>
  readonly machine: string
}

/** @returns a report that says what was recorded where, what was seen while tuning, and what is simulation */
export function corpusReport({ manifest, historyHours, scores, machine }: ReportOptions): string {
  const { segments } = manifest
  const hours = segments.reduce((sum, { start, end }) => sum + end - start, 0) / 3_600_000
  const faults = segments.reduce((sum, segment) => sum + segment.faults.length, 0)
  const head = '| detector | recall within 5 min, effect at least × 1.5 | delay p50 / p95 | precision of incidents | false incidents | time-FPR | placebo |'
  const tables = (['proof', 'tuning'] as const).flatMap((part) => {
    if (scores[part].every(({ found, quietMs }) => found.length === 0 && quietMs === 0)) return [`Nothing of the part "${part}" was recorded yet.`, '']
    const small = scores[part].map(({ detector, found }) => `${detector} ${recallOf(found.filter(({ fault: { fault, strength } }) => fault === 'latency' && strength === 1.3))}`)
    return [
      part === 'proof' ? '#### Not seen while parameters were chosen' : '#### Seen while parameters were chosen',
      '',
      head,
      '|---|---|---|---|---|---|---|',
      ...scores[part].map(row),
      '',
      `Latency × 1.3, below the floor: ${small.join('; ')}.`,
      '',
      ...byFault(scores[part]),
      '',
    ]
  })
  const notes = [...new Set(segments.map(({ note, loadAverage }) => `${note === '' ? 'no note' : note} (load average ${loadAverage.toFixed(1)})`))]
  return [
    `### Injection corpus: ${faults} faults in ${hours.toFixed(1)} hours of the kanban`,
    '',
    ...tables,
    `Recorded at ${[...new Set(segments.map(({ load }) => load))].join(', ')} requests/s by a seeded team on real programs, in ${segments.length} segments; replayed on data time in slices of 15 s. Recorded on: ${[...new Set(segments.map((segment) => segment.machine))].join('; ')}. Notes of the pieces: ${notes.join('; ')}.`,
    '',
    `A fault counts when it changed a recorded series by the floor (× 1.5 less 5 % for the measurement, or 1.5 points of the error share); its page must begin within 5 minutes. Intervals are Wilson's of 95 %. Incidents are pages within 3 minutes of one another; one that begins during a fault or the 5 minutes after is true. The ${historyHours} hours of history before each segment are quiet runs of 5 minutes of the same load and note in an order by chance, no long observation: how often there are false alarms in a week comes from the simulated null suite, not from here. ${machine}.`,
    '',
  ].join('\n')
}
