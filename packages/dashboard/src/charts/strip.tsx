import type { JSX } from 'react'
import type { Zone } from '../ui/time-range.ts'
import { shortTimeText } from '../ui/time-text.ts'
import { type Tone, toneVariable } from './palette.ts'
import './charts.css'

/** When something held; milliseconds. Without an end it still does. */
export interface StripSpan {
  readonly start: number
  readonly end?: number | null
  readonly tone: Tone
  readonly label: string
}

export interface StripProps {
  readonly spans: readonly StripSpan[]
  readonly range: { readonly start: number; readonly end: number }
  readonly zone: Zone
  /** What the strip says, for those who do not see it. */
  readonly label: string
  readonly axis?: boolean
}

const WIDTH = 1000
/** What is shorter is drawn so wide, so that it is seen. */
const LEAST = 2

/** When something held, along a line of time. */
export function Strip({ spans, range, zone, label, axis = true }: StripProps): JSX.Element {
  const length = Math.max(1, range.end - range.start)
  const x = (time: number): number => ((Math.min(Math.max(time, range.start), range.end) - range.start) / length) * WIDTH
  return (
    <div className="strip-box">
      <svg className="strip" viewBox={`0 0 ${WIDTH} 20`} preserveAspectRatio="none" role="img" aria-label={label}>
        {spans.map((span) => {
          const [from, to] = [x(span.start), x(span.end ?? range.end)]
          return (
            <rect key={`${span.start} ${span.label}`} x={Math.min(from, WIDTH - LEAST)} y={0} width={Math.max(LEAST, to - from)} height={20} style={{ '--swatch': `var(${toneVariable(span.tone)})` }}>
              <title>{span.label}</title>
            </rect>
          )
        })}
      </svg>
      {axis && (
        <div className="strip-axis" aria-hidden="true">
          <span>{shortTimeText(range.start, range.end, zone)}</span>
          <span>{shortTimeText((range.start + range.end) / 2, range.end, zone)}</span>
          <span>{shortTimeText(range.end, range.end, zone)}</span>
        </div>
      )}
    </div>
  )
}
