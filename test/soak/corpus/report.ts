// The score of detectors on the corpus, as Markdown.
import { isBelowFloor } from '../scoring/effect.ts'
import { recallOf, type Score } from '../scoring/score.ts'
import type { Part } from '../scoring/stretch.ts'
import { DEFINITIONS, faultTable, scoreTable, shareText } from '../scoring/table.ts'
import type { Manifest } from './recording.ts'

export interface ReportOptions {
  readonly manifest: Manifest
  /** Hours of history that were put before each segment. */
  readonly historyHours: number
  /** Scores of the same detectors by part. */
  readonly scores: Readonly<Record<Part, readonly Score[]>>
  readonly machine: string
}

function tablesOf(part: Part, scores: readonly Score[]): string[] {
  if (scores.every(({ found, quietMs }) => found.length === 0 && quietMs === 0)) return [`Nothing of the part "${part}" was recorded yet.`, '']
  const small = scores.map(({ detector, found }) => `${detector} ${shareText(recallOf(found.filter(({ fault }) => isBelowFloor(fault))))}`)
  return [
    part === 'proof' ? '#### Not seen while parameters were chosen' : '#### Seen while parameters were chosen',
    '',
    ...scoreTable(scores),
    '',
    `Latency × 1.3, below the floor: ${small.join('; ')}.`,
    '',
    ...faultTable(scores),
    '',
  ]
}

/** @returns a report that says what was recorded where, what was seen while tuning, and what is simulation */
export function corpusReport({ manifest, historyHours, scores, machine }: ReportOptions): string {
  const { segments } = manifest
  const hours = segments.reduce((sum, { start, end }) => sum + end - start, 0) / 3_600_000
  const faults = segments.reduce((sum, segment) => sum + segment.faults.length, 0)
  const notes = [...new Set(segments.map(({ note, loadAverage }) => `${note === '' ? 'no note' : note} (load average ${loadAverage.toFixed(1)})`))]
  return [
    `### Injection corpus: ${faults} faults in ${hours.toFixed(1)} hours of the kanban`,
    '',
    ...tablesOf('proof', scores.proof),
    ...tablesOf('tuning', scores.tuning),
    `Recorded at ${[...new Set(segments.map(({ load }) => load))].join(', ')} requests/s by a seeded team on real programs, in ${segments.length} segments; replayed on data time in slices of 15 s. Recorded on: ${[...new Set(segments.map((segment) => segment.machine))].join('; ')}. Notes of the pieces: ${notes.join('; ')}.`,
    '',
    `A fault counts when it changed a recorded series by the floor (× 1.5 less 5 % for the measurement, or 1.5 points of the error share). ${DEFINITIONS} The ${historyHours} hours of history before each segment are quiet runs of 5 minutes of the same load and note in an order by chance, no long observation: how often there are false alarms in a week comes from the simulated null suite, not from here. ${machine}.`,
    '',
  ].join('\n')
}
