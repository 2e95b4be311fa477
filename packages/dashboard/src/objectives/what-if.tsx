import type { ObjectiveDetail, WhatIf } from '@andon/model'
import { useDebouncedValue } from '@mantine/hooks'
import { type JSX, useState } from 'react'
import { whatIfPath } from '../api/objectives.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { Panel } from '../ui/panel.tsx'
import { shareText } from '../ui/percent.ts'
import { exhaustionText, leftText } from './words.ts'

/** Targets in percent, evenly apart in the number of nines. */
const TARGETS: readonly string[] = ['90', '95', '97', '98', '99', '99.3', '99.5', '99.7', '99.8', '99.9', '99.93', '99.95', '99.97', '99.98', '99.99', '99.995', '99.999']

const nearest = (percent: number): number => TARGETS.reduce((best, one, index) => (Math.abs(Math.log(101 - Number(one)) - Math.log(101 - percent)) + Math.abs(Number(one) - percent) < Math.abs(Math.log(101 - Number(TARGETS[best])) - Math.log(101 - percent)) + Math.abs(Number(TARGETS[best]) - percent) ? index : best), 0)

/** How it would stand with another target. */
export function WhatIf({ detail, percent, onPercent }: { readonly detail: ObjectiveDetail; readonly percent: string | undefined; readonly onPercent: (percent: string | undefined) => void }): JSX.Element {
  const own = nearest(detail.target * 100)
  const given = percent === undefined ? -1 : TARGETS.indexOf(percent)
  const [at, setAt] = useState(given >= 0 ? given : own)
  const [settled] = useDebouncedValue(at, 250)
  const target = TARGETS[settled] ?? '99.9'
  const query = useLive<WhatIf>(whatIfPath(detail.id, target))
  return (
    <Panel title="What if the target were" aside={<b className="num">{TARGETS[at]} %</b>} faded={query.isPlaceholderData}>
      <input
        type="range"
        className="slider"
        min={0}
        max={TARGETS.length - 1}
        step={1}
        value={at}
        aria-label="Another target"
        aria-valuetext={`${TARGETS[at] ?? ''} percent`}
        onChange={(event) => {
          const next = Number(event.currentTarget.value)
          setAt(next)
          onPercent(next === own ? undefined : TARGETS[next])
        }}
      />
      <div className="slider-ends dim" aria-hidden="true">
        <span>90 %</span>
        <span>99.999 %</span>
      </div>
      <Answer asked={query} bare rows={3} height={22}>
        {({ windows, months }) => (
          <>
            <ul className="what-if">
              {windows.map((window) => (
                <li key={window.name}>
                  <span className="dim">{window.name}</span>
                  <b className={(window.remaining ?? 1) <= 0 ? 'num bad-text' : 'num'}>{leftText(window.remaining)} left</b>
                  <span className="dim">{exhaustionText(window)}</span>
                </li>
              ))}
            </ul>
            <ul className="months" aria-label="Months before">
              {months
                .filter(({ attainment }) => attainment !== null)
                .map(({ month, attainment, kept }) => (
                  <li key={month} className={kept === true ? 'kept' : 'missed'} title={`${month}: ${shareText(attainment)}`}>
                    <b>{month}</b>
                    <span className="num">{shareText(attainment)}</span>
                    <small>{kept === true ? 'kept' : 'missed'}</small>
                  </li>
                ))}
            </ul>
          </>
        )}
      </Answer>
    </Panel>
  )
}
