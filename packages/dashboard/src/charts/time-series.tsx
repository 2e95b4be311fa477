import { useComputedColorScheme } from '@mantine/core'
import { type JSX, type RefObject, useEffect, useId, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { Unit } from '../ui/format.ts'
import type { Zone } from '../ui/time-range.ts'
import { clockText } from '../ui/time-text.ts'
import { type ChartLook, type ChartMark, chartOptions, type ChartSeries, valueText } from './chart-options.ts'
import { toneVariable } from './palette.ts'
import './charts.css'

/** Times and values are aligned; times ascend and are milliseconds. */
export interface TimeSeriesProps {
  readonly title: string
  readonly t: readonly number[]
  readonly series: readonly ChartSeries[]
  readonly unit: Unit
  readonly range: { readonly start: number; readonly end: number }
  readonly zone: Zone
  /** CSS pixels. */
  readonly height?: number
  readonly syncKey?: string
  readonly atLeast?: number
  /** Shows values below zero as well. */
  readonly below?: boolean
  /** Deploys, incidents and the like, behind the lines and told below them. */
  readonly marks?: readonly ChartMark[]
  /** Whether they are told in words too; of charts that stand together one is enough. */
  readonly tellsMarks?: boolean
  /** Dragging along the time axis; without it, dragging does nothing. */
  readonly onSelect?: (start: number, end: number) => void
  readonly onZoomOut?: () => void
}

const MARKS_TOLD = 6

const last = (values: readonly (number | null)[]): number | null => values.findLast((value) => value !== null) ?? null

/** A chart over time with a legend that follows the cursor. Draws with uPlot; fetches nothing. */
export function TimeSeries(props: TimeSeriesProps): JSX.Element {
  const { title, series, unit } = props
  const box = useRef<HTMLDivElement>(null)
  const legend = useRef<HTMLUListElement>(null)
  const clock = useRef<HTMLSpanElement>(null)
  const id = useId()
  useChart(box, legend, clock, props)
  const empty = series.every((one) => last(one.values) === null)
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption className="chart-head">
        <span className="chart-title" id={id}>
          {title}
        </span>
        <span className="chart-clock" ref={clock} />
      </figcaption>
      <ul className="chart-legend" ref={legend}>
        {series.map((one) => (
          <li key={one.label}>
            {one.hidden !== true && <i className={one.dashed === true ? 'swatch dashed' : 'swatch'} style={{ '--swatch': `var(${toneVariable(one.tone)})` }} />}
            <span className="chart-label">{one.label}</span> <b>{valueText(last(one.values), unit)}</b>
          </li>
        ))}
      </ul>
      <div className="chart-box" ref={box} style={{ height: props.height ?? 180 }} role="img" aria-label={describe(props)} />
      {empty && <p className="chart-empty">No data in this range</p>}
      {props.tellsMarks !== false && <Marks {...props} />}
    </figure>
  )
}

/** What is marked in the range, in words. */
function Marks({ marks = [], range, zone }: TimeSeriesProps): JSX.Element | null {
  const seen = marks.filter(({ start, end }) => start <= range.end && (end ?? start) >= range.start)
  if (seen.length === 0) return null
  return (
    <ul className="chart-marks">
      {seen.slice(0, MARKS_TOLD).map(({ start, end, tone, label }) => (
        <li key={`${start} ${label}`}>
          <i className={end === undefined ? 'mark' : 'mark band'} style={{ '--swatch': `var(${toneVariable(tone)})` }} />
          {label} <span className="dim">{clockText(start, zone).slice(0, 5)}</span>
        </li>
      ))}
      {seen.length > MARKS_TOLD && <li className="dim">and {seen.length - MARKS_TOLD} more</li>}
    </ul>
  )
}

/** What the picture says, for those who do not see it. */
function describe({ title, series, unit }: TimeSeriesProps): string {
  const parts = series.map((one) => {
    const numbers = one.values.filter((value) => value !== null)
    if (numbers.length === 0) return `${one.label}: no data`
    const largest = numbers.reduce((a, b) => Math.max(a, b), -Infinity)
    return `${one.label}: last ${valueText(last(one.values), unit)}, highest ${valueText(largest, unit)}`
  })
  return `${title}. ${parts.join('; ')}.`
}

/** Makes the chart anew when its look changes, and gives it data when only they do. */
function useChart(
  box: RefObject<HTMLDivElement | null>,
  legend: RefObject<HTMLUListElement | null>,
  clock: RefObject<HTMLSpanElement | null>,
  props: TimeSeriesProps,
): void {
  const scheme = useComputedColorScheme('light')
  const current = useRef(props)
  const chart = useRef<uPlot | null>(null)
  useEffect(() => {
    current.current = props
  })
  const { unit, zone, syncKey = 'time', atLeast = 0, below = false } = props
  const series = props.series.map(({ label, tone, fill, dashed, hidden }) => ({ label, tone, fill, dashed, hidden }))
  // Compared by content: the values change with every answer, the look hardly ever, and only a new look needs a new chart.
  const key = JSON.stringify({ series, unit, zone, syncKey, atLeast, below, scheme })
  const look = useMemo<ChartLook>(() => JSON.parse(key), [key])

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const size = { width: Math.max(element.clientWidth, 120), height: element.clientHeight }
    const events = {
      select: (start: number, end: number) => current.current.onSelect?.(start, end),
      cursor: (index: number | null) => showCursor(legend.current, clock.current, current.current, index),
      zoomOut: () => current.current.onZoomOut?.(),
      marks: () => current.current.marks ?? [],
    }
    const made = new uPlot(chartOptions(element, look, events, size), [[]], element)
    show(made, current.current)
    chart.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: Math.max(element.clientWidth, 120), height: element.clientHeight }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      chart.current = null
      made.destroy()
    }
  }, [look, box, legend, clock])

  useEffect(() => {
    if (chart.current !== null) show(chart.current, props)
  }, [props])
}

function show(chart: uPlot, { t, series, range }: TimeSeriesProps): void {
  chart.batch(() => {
    chart.setData([[...t], ...series.map((one) => [...one.values])], false)
    chart.setScale('x', { min: range.start, max: range.end })
  })
}

/** Written straight into the page: the cursor moves far more often than React should render. */
function showCursor(legend: HTMLUListElement | null, clock: HTMLSpanElement | null, props: TimeSeriesProps, index: number | null): void {
  if (legend === null || clock === null) return
  const time = index === null ? undefined : props.t[index]
  clock.textContent = time === undefined ? '' : clockText(time, props.zone)
  for (const [at, item] of [...legend.querySelectorAll('b')].entries()) {
    const values = props.series[at]?.values ?? []
    item.textContent = valueText(time === undefined || index === null ? last(values) : values[index], props.unit)
  }
}
