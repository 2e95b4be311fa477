import type { BacktestResult } from '@andon/model'
import type { JSX } from 'react'
import { Strip } from '../charts/strip.tsx'
import { quantityText } from '../ui/format.ts'
import { LabelList } from '../ui/label-list.tsx'
import { lastedText, timeText } from '../ui/time-text.ts'
import { usePatch, useShell } from '../ui/use-shell.ts'
import { absoluteSelection } from '../ui/time-range.ts'
import { unitOfExpression } from '../api/promql.ts'

const SHOWN = 12
/** More calls than these in a week, and people stop to listen. */
const MANY_PER_WEEK = 2
const HOUR = 3_600_000

/** What a rule would have told: how often, when, and of what. */
export function Backtest({ result }: { readonly result: BacktestResult }): JSX.Element {
  const { zone } = useShell()
  const { from, to, count, episodes, areEpisodesCut, dataFrom } = result
  if (dataFrom === null) {
    return (
      <p className="backtest-verdict warn" role="status">
        <b>There are no data for this rule.</b> Nothing that it reads was stored in this time; look at its metric and its labels.
      </p>
    )
  }
  return (
    <div className="backtest">
      <Verdict result={result} since={Math.max(from, dataFrom)} />
      <Strip
        spans={episodes.map(({ start, end, labels }) => ({ start, end, tone: 'bad', label: `${timeText(start, zone)}: ${Object.values(labels).join(' · ')}` }))}
        range={{ start: from, end: to }}
        zone={zone}
        label={`Would have fired ${count} times between ${timeText(from, zone)} and ${timeText(to, zone)}`}
      />
      {episodes.length > 0 && <Episodes result={result} />}
      {(count > SHOWN || areEpisodesCut) && <p className="dim">The newest {Math.min(SHOWN, episodes.length)} of {count}.</p>}
    </div>
  )
}

const countText = (count: number): string => (count === 0 ? 'Would not have fired' : count === 1 ? 'Would have fired once' : `Would have fired ${count} times`)

function Verdict({ result, since }: { readonly result: BacktestResult; readonly since: number }): JSX.Element {
  const { zone } = useShell()
  const { to, count, perWeek, firingShare, isShorter } = result
  const days = Math.round(((to - since) / (24 * HOUR)) * 10) / 10
  const isMany = perWeek !== null && perWeek > MANY_PER_WEEK
  return (
    <p className={isMany ? 'backtest-verdict warn' : 'backtest-verdict'} role="status">
      <b>
        {countText(count)} in {days === 1 ? 'the last day' : `the last ${days} days`}
      </b>
      {perWeek !== null && count > 0 && <span>, {Math.round(perWeek * 10) / 10} a week; something fired for {quantityText(firingShare, 'ratio')} of the time</span>}.
      {isMany && <small>Who is called more than {MANY_PER_WEEK} times a week stops to listen. A higher threshold, a longer “must hold for” or a recovery apart from it make it quieter.</small>}
      {count === 0 && <small>Quiet is good, if the picture above shows that it could have fired.</small>}
      {isShorter && <small>There are data only since {timeText(since, zone).slice(0, 16)}.</small>}
    </p>
  )
}

function Episodes({ result: { episodes, to, expression } }: { readonly result: BacktestResult }): JSX.Element {
  const { zone } = useShell()
  const patch = usePatch()
  const unit = unitOfExpression(expression)
  return (
    <ol className="episodes">
      {episodes
        .toReversed()
        .slice(0, SHOWN)
        .map(({ start, end, peak, labels }) => (
          <li key={`${start} ${JSON.stringify(labels)}`}>
            <button type="button" className="link-button" title="Look at this time" onClick={() => patch({ ...absoluteSelection({ start: start - HOUR / 2, end: (end ?? to) + HOUR / 2 }) })}>
              {timeText(start, zone).slice(5, 16)}
            </button>
            <span>{end === null ? 'still fires' : `for ${lastedText(end - start)}`}</span>
            <span className="num">worst {quantityText(peak, unit)}</span>
            <LabelList labels={labels} without={['alertname', 'severity']} />
          </li>
        ))}
    </ol>
  )
}
