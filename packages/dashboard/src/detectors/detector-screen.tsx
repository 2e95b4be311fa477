import type { DetectorDetail } from '@andon/model'
import { useParams } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { detectorPath, signalUnit } from '../api/detection.ts'
import { useExpression } from '../api/use-expression.ts'
import { useLive } from '../api/use-live.ts'
import type { ChartMark, ChartSeries } from '../charts/chart-options.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Expression } from '../ui/expression.tsx'
import { capitalised, quantityText } from '../ui/format.ts'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { resolveRange } from '../ui/time-range.ts'
import { lastedText, timeText } from '../ui/time-text.ts'
import { useNow, useShell } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { evidenceShare, outside, peakShare, STATE_TEXT, STATE_WHY } from './words.ts'
import './detectors.css'

/** One series: what is expected of it, and each time that it raised an alarm. */
export function DetectorScreen(): JSX.Element {
  const { id = '' } = useParams({ strict: false })
  const query = useLive<DetectorDetail>(detectorPath(id))
  return (
    <div className="stack">
      <Answer asked={query} rows={4} height={70}>
        {(data) => <Known detector={data} />}
      </Answer>
    </div>
  )
}

function Known({ detector }: { readonly detector: DetectorDetail }): JSX.Element {
  const { service, environment, title, key, state, because, firing, since, onset, held, firstSeen, slices, model, value, low, high } = detector
  const unit = signalUnit(detector.unit)
  return (
    <>
      <PageHead
        title={
          <span className="title-row">
            {capitalised(title)} {firing ? <span className="tag bad">fires</span> : <span className="tag good">as expected</span>}
          </span>
        }
        note={
          <>
            <AppLink to="/service/$service" params={{ service }}>
              {service}
            </AppLink>
            {environment !== '' && ` · ${environment}`}
            {key !== '' && ` · ${key}`}
            {firing && since !== null && (
              <>
                {' '}
                · began about <When time={onset ?? since} ago />
              </>
            )}
          </>
        }
      />
      <section className="tiles" aria-label="What it says now">
        <Tile label="Now" value={quantityText(value, unit)} bad={outside(detector)} note={`expected ${quantityText(low, unit)} to ${quantityText(high, unit)}`} />
        <Tile label="Evidence" value={quantityText(evidenceShare(detector), 'ratio')} bad={firing} note="of what raises an alarm" />
        <Tile label="It may" value={state === 'page' ? 'call people' : state === 'ticket' ? 'make a ticket' : STATE_TEXT[state]} note={because === '' ? STATE_WHY[state] : because} />
        <Tile label="Knows" value={lastedText(slices * 15_000)} note={`since ${lastedText(Math.max(0, detector.time - firstSeen))} ago, by ${model}`} />
      </section>
      {held !== '' && <p className="trouble">Held back: {held}</p>}
      <Course detector={detector} />
      <Episodes detector={detector} />
    </>
  )
}

function Tile({ label, value, note, bad = false }: { readonly label: string; readonly value: string; readonly note: string; readonly bad?: boolean }): JSX.Element {
  return (
    <div className="tile">
      <div className="tile-label">
        <span>{label}</span>
      </div>
      <div className={bad ? 'tile-value bad-text' : 'tile-value'}>{value}</div>
      <p className="tile-note">{note}</p>
    </div>
  )
}

function Course({ detector }: { readonly detector: DetectorDetail }): JSX.Element {
  const shell = useShell()
  const now = useNow(15_000)
  const range = resolveRange(shell.selection, now)
  const { drawn, error, pending } = useExpression(detector.expression, range, 3)
  const marks = useMemo((): ChartMark[] => detector.episodes.map(({ start, end, onset }) => ({ start: onset ?? start, end: end ?? now, tone: 'bad', label: 'Alarm' })), [detector.episodes, now])
  const t = drawn?.t ?? []
  const times = t.length > 0 ? t : [range.start, range.end]
  const lines = (drawn?.series ?? []).map((one, index): ChartSeries => ({ ...one, label: index === 0 ? 'measured' : one.label, tone: index === 0 ? 'accent' : 'series-4' }))
  const edges = ([['expected at most', detector.high], ['expected at least', detector.low]] as const).flatMap(([label, edge]): ChartSeries[] => (edge === null ? [] : [{ label, values: times.map(() => edge), tone: 'limit', dashed: true }]))
  return (
    <Panel>
      {error !== null && drawn === undefined ? (
        <p className="warn-text">Its course cannot be drawn: {error.message}</p>
      ) : (
        <TimeSeries title={pending ? 'Asking …' : 'Its course, and what is expected now'} t={times} series={[...lines, ...edges]} unit={signalUnit(detector.unit)} range={range} zone={shell.zone} height={220} syncKey="detector" marks={marks} onSelect={shell.selectRange} onZoomOut={shell.zoomOut} />
      )}
      <Expression text={detector.expression} />
    </Panel>
  )
}

function Episodes({ detector }: { readonly detector: DetectorDetail }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(10_000)
  const { episodes } = detector
  return (
    <Panel flush title="Alarms" aside={<span>{episodes.length === 0 ? 'None so far' : episodes.length}</span>}>
      {episodes.length === 0 ? (
        <Nothing title="It has never raised an alarm">Each time that it does stands here, also those that nobody was told of.</Nothing>
      ) : (
        <div className="table-scroll">
          <table className="table">
            <thead>
              <tr>
                <th scope="col">Began about</th>
                <th scope="col">Found</th>
                <th scope="col" className="end">
                  Lasted
                </th>
                <th scope="col" className="end">
                  Evidence
                </th>
                <th scope="col" className="minor">
                  Explained
                </th>
              </tr>
            </thead>
            <tbody>
              {episodes.map((one) => (
                <tr key={one.start}>
                  <td className="num">{timeText(one.onset ?? one.start, zone)}</td>
                  <td className="num">{lastedText(one.start - (one.onset ?? one.start))} later</td>
                  <td className="end num">{one.end === null ? <span className="tag bad">for {lastedText(now - one.start)}</span> : lastedText(one.end - one.start)}</td>
                  <td className="end">
                    <Num value={peakShare(one, detector)} unit="ratio" />
                  </td>
                  <td className="minor">{one.isExplained ? 'yes' : 'no'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
