import type { FigureSummary } from '@andon/model'
import type { JSX } from 'react'
import { type FiguresAnswer, figuresPath } from '../api/incidents.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useChosenTime } from '../ui/use-shell.ts'
import { IncidentPages } from './pages.tsx'
import { FigureDots } from './figure-dots.tsx'
import { FiguresTable } from './figures-table.tsx'
import './incidents.css'

const FIGURES: readonly { readonly key: 'mttd' | 'mtta' | 'mttm' | 'mttr'; readonly name: string; readonly text: string }[] = [
  { key: 'mttd', name: 'Time to detect', text: 'From the estimated onset to the detection' },
  { key: 'mtta', name: 'Time to acknowledge', text: 'From the detection until somebody took it' },
  { key: 'mttm', name: 'Time to mitigate', text: 'From the onset until users were well again' },
  { key: 'mttr', name: 'Time to resolve', text: 'From the onset until it was over' },
]

/** How fast incidents are found and ended, against the objectives. */
export function FiguresScreen(): JSX.Element {
  const chosen = useChosenTime()
  const query = useLive<FiguresAnswer>(figuresPath(chosen))
  return (
    <div className="stack">
      <PageHead title="Figures" note="Half of the incidents took no longer than p50, nine of ten no longer than p90. There is no mean: it hides the bad ones." />
      <IncidentPages />
      <Answer asked={query} rows={3} height={90}>
        {(data) => <Known data={data} faded={query.isPlaceholderData} />}
      </Answer>
    </div>
  )
}

function Known({ data, faded }: { readonly data: FiguresAnswer; readonly faded: boolean }): JSX.Element {
  const { figures, each } = data
  return (
    <>
      <section className="tiles figures" aria-label="Figures">
        {FIGURES.map(({ key, name, text }) => (
          <Figure key={key} name={name} text={text} figure={figures[key]} />
        ))}
      </section>
      {each.length === 0 ? (
        <Panel>
          <Nothing title="No incident was in this time">Figures are of the last four weeks unless another time is chosen at the top.</Nothing>
        </Panel>
      ) : (
        <>
          <div className="charts">
            <Panel faded={faded}>
              <FigureDots title="Time to detect, per incident" incidents={each} figure="mttdMs" objectiveMs={figures.mttd.objectiveMs} range={data} />
            </Panel>
            <Panel faded={faded}>
              <FigureDots title="Time to resolve, per incident" incidents={each} figure="mttrMs" objectiveMs={figures.mttr.objectiveMs} range={data} />
            </Panel>
          </div>
          <Panel flush title="Incidents" aside={<span>{each.length === 1 ? '1 incident' : `${each.length} incidents`}{data.open > 0 && `, ${data.open} open`}</span>} faded={faded}>
            <FiguresTable caption="Incidents with their figures" incidents={each.map((row) => ({ ...row, detail: row.service, figures: row }))} further="mitigated" />
          </Panel>
        </>
      )}
    </>
  )
}

function Figure({ name, text, figure }: { readonly name: string; readonly text: string; readonly figure: FigureSummary }): JSX.Element {
  const { p50Ms, p90Ms, objectiveMs, within, count } = figure
  const late = objectiveMs !== null && p90Ms !== null && p90Ms > objectiveMs
  return (
    <div className="tile">
      <div className="tile-label">
        <span>{name}</span>
        {objectiveMs !== null && <span>objective {lastedText(objectiveMs)}</span>}
      </div>
      <div className="figure-pair">
        <span>
          <small>p50</small> <b className="num">{p50Ms === null ? '–' : lastedText(p50Ms)}</b>
        </span>
        <span className={late ? 'bad-text' : ''}>
          <small>p90</small> <b className="num">{p90Ms === null ? '–' : lastedText(p90Ms)}</b>
        </span>
      </div>
      <p className="figure-note dim">
        {within === null ? text : <Within within={within} count={count} />}
        {within === null && count > 0 && ` · ${count === 1 ? '1 incident' : `${count} incidents`}`}
      </p>
    </div>
  )
}

function Within({ within, count }: { readonly within: number; readonly count: number }): JSX.Element {
  return (
    <>
      <Num value={within} unit="ratio" /> of {count === 1 ? '1 incident' : `${count} incidents`} within it
    </>
  )
}
