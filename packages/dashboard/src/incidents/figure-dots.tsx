import type { FiguredIncident, IncidentFigures } from '@andon/model'
import { useNavigate } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { lastedText, timeText } from '../ui/time-text.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { useShell } from '../ui/use-shell.ts'

export interface FigureDotsProps {
  readonly title: string
  readonly incidents: readonly FiguredIncident[]
  readonly figure: keyof IncidentFigures
  readonly objectiveMs: number | null
  readonly range: { readonly from: number; readonly to: number }
}

const [WIDTH, HEIGHT] = [600, 150]
/** The heads of axes, milliseconds. */
const MARKS: readonly number[] = [1000, 10_000, 60_000, 300_000, 1_800_000, 7_200_000, 86_400_000, 604_800_000]

/** One dot per incident over time, its height on a logarithmic scale; the objective is a line. */
export function FigureDots({ title, incidents, figure, objectiveMs, range }: FigureDotsProps): JSX.Element {
  const { zone } = useShell()
  const navigate = useNavigate()
  const dots = useMemo(() => incidents.flatMap((one) => (one[figure] === null ? [] : [{ incident: one, ms: Math.max(1000, one[figure]) }])), [incidents, figure])
  const highest = Math.max(objectiveMs ?? 0, 60_000, ...dots.map(({ ms }) => ms)) * 1.6
  const lowest = Math.min(1000, ...dots.map(({ ms }) => ms))
  const y = (ms: number): number => HEIGHT - (Math.log(ms / lowest) / Math.log(highest / lowest)) * HEIGHT
  const x = (time: number): number => ((time - range.from) / Math.max(1, range.to - range.from)) * WIDTH
  const late = objectiveMs === null ? 0 : dots.filter(({ ms }) => ms > objectiveMs).length
  return (
    <figure className="dots" aria-label={`${title}: ${dots.length} incidents${objectiveMs === null ? '' : `, ${late} later than ${lastedText(objectiveMs)}`}`}>
      <figcaption className="chart-title">{title}</figcaption>
      <div className="dots-area">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {MARKS.filter((mark) => mark > lowest && mark < highest).map((mark) => (
            <line key={mark} x1={0} x2={WIDTH} y1={y(mark)} y2={y(mark)} className="dots-grid" />
          ))}
          {objectiveMs !== null && <line x1={0} x2={WIDTH} y1={y(objectiveMs)} y2={y(objectiveMs)} className="dots-objective" />}
        </svg>
        {MARKS.filter((mark) => mark > lowest && mark < highest).map((mark) => (
          <span key={mark} className="dots-mark" style={{ top: `${(y(mark) / HEIGHT) * 100}%` }}>
            {lastedText(mark)}
          </span>
        ))}
        {dots.map(({ incident, ms }) => (
          <button
            key={incident.id}
            type="button"
            className={objectiveMs !== null && ms > objectiveMs ? 'dot late' : 'dot'}
            style={{ left: `${(x(incident.detectedAt) / WIDTH) * 100}%`, top: `${(y(ms) / HEIGHT) * 100}%` }}
            title={`${incident.title}, ${timeText(incident.detectedAt, zone).slice(0, 16)}: ${lastedText(ms)}`}
            aria-label={`${incident.title}: ${lastedText(ms)}`}
            onClick={() => void navigate({ to: '/incidents/$id', params: { id: incident.id }, search: (before: Record<string, unknown>) => readShellSearch(before) })}
          />
        ))}
      </div>
      <div className="strip-axis" aria-hidden="true">
        <span>{timeText(range.from, zone).slice(5, 16)}</span>
        {objectiveMs !== null && <span className="dots-legend">objective {lastedText(objectiveMs)}</span>}
        <span>{timeText(range.to, zone).slice(5, 16)}</span>
      </div>
    </figure>
  )
}
