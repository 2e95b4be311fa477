import type { JSX } from 'react'
import { type Tone, toneVariable } from './palette.ts'
import { sparkPath } from './spark-path.ts'
import './charts.css'

/** A small line without axes; what it means stands beside it, so it is hidden from screen readers. */
export function Sparkline(props: { readonly values: readonly (number | null)[]; readonly tone?: Tone; readonly width?: number; readonly height?: number }): JSX.Element {
  const { values, tone = 'accent', width = 96, height = 26 } = props
  const path = sparkPath(values, width, height)
  const whole = path !== '' && !path.slice(1).includes('M')
  const [start, end] = [values.findIndex((value) => value !== null), values.findLastIndex((value) => value !== null)]
  const at = (index: number): string => ((index / Math.max(1, values.length - 1)) * width).toFixed(1)
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true" style={{ '--swatch': `var(${toneVariable(tone)})` }}>
      {whole && values.length > 1 && <path className="spark-area" d={`${path}L${at(end)} ${height}L${at(start)} ${height}Z`} />}
      <path className="spark-line" d={path} />
    </svg>
  )
}
