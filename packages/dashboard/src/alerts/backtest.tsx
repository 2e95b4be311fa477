import type { JSX } from 'react'
import type { BacktestResult } from '../api/rules.ts'
import { Strip } from '../charts/strip.tsx'
import { quantityText } from '../ui/format.ts'
import { LabelList } from '../ui/label-list.tsx'
import { lastedText, timeText } from '../ui/time-text.ts'
import { useShell } from '../ui/use-shell.ts'
import { usePatch } from '../ui/use-shell.ts'
import { absoluteSelection } from '../ui/time-range.ts'
import { unitOfExpression } from '../api/promql.ts'

const SHOWN = 12
/** More calls than these in a week, and people stop to listen. */
const MANY_PER_WEEK = 2
const HOUR = 3_600_000

/** What a rule would have told: how often, when, and of what. */
export function Backtest({ result }: { readonly result: BacktestResult }): JSX.Element {
  const { zone } = useShell()
  const patch = usePatch()
  const { from, to, count, perWeek, firingShare, episodes, areEpisodesCut, dataFrom, isShorter, expression } = result
  const range = { start: from, end: to }
  const unit = unitOfExpression(expression)
  const days = Math.round((to - (isShorter && dataFrom !== null ? dataFrom : from)) / (24 * HOUR) * 10) / 10
  if (dataFrom === null) {
    return (
      <p className="backtest-verdict warn" role="status">
        <b>There are no data for this rule.</b> Nothing that it reads was stored in this time; look at its metric and its labels.
      </p>
    )
  }
  return (
    <div className="backtest">
      <p className={`backtest-verdict ${perWeek !== null && perWeek > MANY_PER_WEEK ? 'warn' : ''}`} role="status">
        <b>
          {count === 0 ? 'Would not have fired' : count === 1 ? 'Would have fired once' : `Would have fired ${count} times`} in {days === 1 ? 'the last day' : `the last ${days} days`}
        </b>
        {perWeek !== null && count > 0 && <span>, {perWeek < 10 ? Math.round(perWeek * 10) / 10 : Math.round(perWeek)} a week; something fired for {quantityText(firingShare, 'ratio')} of the time</span>}.
        {perWeek !== null && perWeek > MANY_PER_WEEK && <small>Who is called more than {MANY_PER_WEEK} times a week stops to listen. A higher threshold, a longer “must hold for” or a recovery apart from it make it quieter.</small>}
        {count === 0 && <small>Quiet is good, if the picture above shows that it could have fired.</small>}
        {isShorter && <small>There are data only since {timeText(dataFrom, zone).slice(0, 16)}.</small>}
      </p>
      <Strip
        spans={episodes.map(({ start, end, labels }) => ({ start, end, tone: 'bad', label: `${timeText(start, zone)}: ${Object.values(labels).join(' · ')}` }))}
        range={range}
        zone={zone}
        label={`Would have fired ${count} times between ${timeText(from, zone)} and ${timeText(to, zone)}`}
      />
      {episodes.length > 0 && (
        <ol className="episodes">
          {episodes
            .toReversed()
            .slice(0, SHOWN)
            .map((episode) => (
              <li key={`${episode.start} ${JSON.stringify(episode.labels)}`}>
                <button type="button" className="link-button" title="Look at this time" onClick={() => patch({ ...absoluteSelection({ start: episode.start - HOUR / 2, end: (episode.end ?? to) + HOUR / 2 }) })}>
                  {timeText(episode.start, zone).slice(5, 16)}
                </button>
                <span>{episode.end === null ? 'still fires' : `for ${lastedText(episode.end - episode.start)}`}</span>
                <span className="num">worst {quantityText(episode.peak, unit)}</span>
                <LabelList labels={episode.labels} without={['alertname', 'severity']} />
              </li>
            ))}
        </ol>
      )}
      {(count > SHOWN || areEpisodesCut) && <p className="dim">The newest {Math.min(SHOWN, episodes.length)} of {count}.</p>}
    </div>
  )
}
