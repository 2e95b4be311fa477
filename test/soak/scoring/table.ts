// Scores as tables in Markdown.
import { READ_DELAY_MS } from '@andon/server'
import { kindOf } from './effect.ts'
import { counts, delayOf, type Found, precisionOf, recallOf, type Score } from './score.ts'
import { type Share, shareOf } from './share.ts'

/** What the figures of the tables mean. */
export const DEFINITIONS: string = `Its page must begin within 5 minutes of the fault; delays hold the ${READ_DELAY_MS / 1000} s until a slice is read. Intervals are Wilson's of 95 %. Incidents are pages within 3 minutes of one another; one that begins during a fault or the 5 minutes after is true. Quiet time is what lies outside of both; time-FPR is the share of slices of series in it that fired, placebo the share of its windows of 5 minutes in which a page began.`

const percent = (share: number, digits = 1): string => (Number.isNaN(share) ? '–' : `${(share * 100).toFixed(digits)} %`)
const seconds = (milliseconds: number): string => (Number.isNaN(milliseconds) ? '–' : `${(milliseconds / 1000).toFixed(0)} s`)

/** Such as `9 of 10: 90.0 % (59.6 % to 98.2 %)`; – of none. */
export function shareText({ hits, of, share, low, high }: Share): string {
  return of === 0 ? '–' : `${hits} of ${of}: ${percent(share)} (${percent(low)} to ${percent(high)})`
}

function row(score: Score): string {
  const { detector, found, falseIncidents, quietMs, evaluations, firing, placebos, placeboHits } = score
  const due = found.filter(counts)
  const cells = [
    detector,
    shareText(recallOf(due)),
    `${seconds(delayOf(due, 0.5))} / ${seconds(delayOf(due, 0.95))}`,
    shareText(precisionOf(score)),
    `${falseIncidents} in ${(quietMs / 3_600_000).toFixed(1)} h`,
    percent(shareOf(firing, evaluations).share, 3),
    percent(shareOf(placeboHits, placebos).share, 2),
  ]
  return `| ${cells.join(' | ')} |`
}

/** One row of each detector. */
export function scoreTable(scores: readonly Score[]): string[] {
  return ['| detector | recall within 5 min, effect at least × 1.5 | delay p50 / p95 | precision of incidents | false incidents | time-FPR | placebo |', '|---|---|---|---|---|---|---|', ...scores.map(row)]
}

function ofKind(found: readonly Found[], kind: string): readonly Found[] {
  return found.filter(({ fault }) => kindOf(fault) === kind)
}

function cell(found: readonly Found[]): string {
  const { hits } = recallOf(found)
  return hits === 0 ? '0' : `${hits}, ${seconds(delayOf(found, 0.5))}`
}

/** One row of each fault and strength: how many of them each detector found, and the median delay. */
export function faultTable(scores: readonly Score[]): string[] {
  const [all = []] = scores.map(({ found }) => found)
  const kinds = [...new Set(all.map(({ fault }) => kindOf(fault)))].toSorted()
  return [
    `| fault and strength | injected (with an effect) | ${scores.map(({ detector }) => detector).join(' | ')} |`,
    `|---|---|${scores.map(() => '---|').join('')}`,
    ...kinds.map((kind) => {
      const injected = ofKind(all, kind)
      return `| ${kind} | ${injected.length} (${injected.filter(({ hasEffect }) => hasEffect).length}) | ${scores.map(({ found }) => cell(ofKind(found, kind))).join(' | ')} |`
    }),
  ]
}
