import uPlot from 'uplot'
import { axisScale, quantityText, type Unit } from '../ui/format.ts'
import type { Zone } from '../ui/time-range.ts'
import { clockText, timeText } from '../ui/time-text.ts'
import { readColour, type ServiceTone, type Tone, toneVariable } from './palette.ts'

/** One line of a chart; `values` are aligned to the chart's times. */
export interface ChartSeries {
  readonly label: string
  readonly values: readonly (number | null)[]
  readonly tone: Tone | ServiceTone
  readonly fill?: boolean
  readonly dashed?: boolean
  /** Told in the legend and not drawn, and not part of the scale. */
  readonly hidden?: boolean
}

/** Something that happened, over a time or at one (`end` left out). Drawn behind the lines. */
export interface ChartMark {
  /** Milliseconds. */
  readonly start: number
  readonly end?: number
  readonly tone: Tone
  readonly label: string
}

/** What decides the look of a chart, its data apart. */
export interface ChartLook {
  readonly series: readonly Omit<ChartSeries, 'values'>[]
  readonly unit: Unit
  readonly zone: Zone
  /** Charts with one key show their cursors together. */
  readonly syncKey: string
  /** The smallest top of the scale, so that noise around zero does not fill the chart. */
  readonly atLeast: number
  /** Whether values below zero are shown, such as a budget that is overspent. */
  readonly below: boolean
  /** Not read: the colours are; but another scheme is another look. */
  readonly scheme: string
}

/** What a chart tells its owner. */
export interface ChartEvents {
  /** Milliseconds. */
  select(start: number, end: number): void
  cursor(index: number | null): void
  zoomOut(): void
  /** What is drawn behind the lines, asked for at every drawing. */
  marks(): readonly ChartMark[]
}

const MINUTE = 60_000
const DAY = 86_400_000

/** Labels of the time axis: seconds only when the marks are closer than a minute, dates when they are days apart. */
export function timeLabels(splits: readonly number[], step: number, zone: Zone): string[] {
  return splits.map((time) => {
    if (step >= DAY) return timeText(time, zone).slice(5, 10)
    const clock = clockText(time, zone)
    const text = step < MINUTE ? clock : clock.slice(0, 5)
    return text === '00:00' ? timeText(time, zone).slice(5, 10) : text
  })
}

/** Labels of the value axis, all in one unit. */
export function valueLabels(splits: readonly number[], unit: Unit): string[] {
  const scale = axisScale(Math.max(...splits.map(Math.abs), 0), unit)
  const numbers = splits.map((value) => value / scale.divisor)
  const step = Math.abs((numbers[1] ?? 1) - (numbers[0] ?? 0))
  // As many decimals as the step has: 0.25 must not be written 0.3.
  const decimals = [0, 1, 2, 3].find((count) => Math.abs(step * 10 ** count - Math.round(step * 10 ** count)) < 1e-6) ?? 3
  return numbers.map((value) => `${value.toFixed(decimals)} ${scale.unit}`.trim())
}

/** Bytes are counted in powers of two, so marks at decimal steps would read 95.4 MiB. */
const BINARY_STEPS: readonly number[] = Array.from({ length: 50 }, (_, power) => 2 ** power)

/** The text beside a series' name: its value with unit. */
export const valueText = (value: number | null | undefined, unit: Unit): string => quantityText(value, unit)

/** Of durations, in seconds: round in the unit in which they are written. */
const TIME_STEPS: readonly number[] = [
  ...Array.from({ length: 11 }, (_, power) => [1, 2, 2.5, 5].map((digit) => digit * 10 ** (power - 9))).flat().filter((step) => step <= 20),
  30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200,
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((days) => days * 86_400),
]
const PER_SECOND: Readonly<Partial<Record<Unit, number>>> = { seconds: 1, milliseconds: 1e3, microseconds: 1e6 }

/** Between marks of the value axis; undefined for uPlot's own. */
function stepsOf(unit: Unit): number[] | undefined {
  if (isBinary(unit)) return [...BINARY_STEPS]
  const perSecond = PER_SECOND[unit]
  return perSecond === undefined ? undefined : TIME_STEPS.map((step) => step * perSecond)
}

const isBinary = (unit: Unit): boolean => unit === 'bytes' || unit === 'bytesPerSecond'

function axes(root: Element, look: ChartLook): uPlot.Axis[] {
  const text = readColour(root, '--chart-text')
  const line = readColour(root, '--chart-grid')
  const font = `11px ${getComputedStyle(root).fontFamily}`
  const incrs = stepsOf(look.unit)
  const shared = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } }
  return [
    { ...shared, grid: { show: false }, size: 24, gap: 6, space: 70, values: (_u, splits, _axis, _space, step) => timeLabels(splits, step, look.zone) },
    { ...shared, size: 62, gap: 6, space: 34, values: (_u, splits) => valueLabels(splits, look.unit), ...(incrs === undefined ? {} : { incrs }) },
  ]
}

function lines(root: Element, look: ChartLook): uPlot.Series[] {
  return look.series.map((series) => {
    const stroke = readColour(root, toneVariable(series.tone))
    return {
      label: series.label,
      stroke,
      width: series.dashed === true ? 1.25 : 1.75,
      points: { show: false },
      show: series.hidden !== true,
      ...(series.dashed === true ? { dash: [5, 4] } : {}),
      ...(series.fill === true ? { fill: fade(stroke) } : {}),
    }
  })
}

/** A fill that fades towards the axis. */
const fade =
  (stroke: string) =>
  (u: uPlot): CanvasGradient | string => {
    const { top, height } = u.bbox
    if (!Number.isFinite(height) || height <= 0) return 'transparent'
    const gradient = u.ctx.createLinearGradient(0, top, 0, top + height)
    gradient.addColorStop(0, `${stroke}55`)
    gradient.addColorStop(1, `${stroke}05`)
    return gradient
  }

/** Bands over a time, and lines at one. */
function drawMarks(u: uPlot, root: Element, marks: readonly ChartMark[]): void {
  const { left, top, width, height } = u.bbox
  const { ctx } = u
  ctx.save()
  for (const { start, end, tone } of marks) {
    const from = Math.max(left, u.valToPos(start, 'x', true))
    const to = Math.min(left + width, u.valToPos(end ?? start, 'x', true))
    if (to < left || from > left + width) continue
    const colour = readColour(root, toneVariable(tone))
    ctx.fillStyle = `${colour}22`
    if (end !== undefined) ctx.fillRect(from, top, Math.max(1, to - from), height)
    ctx.strokeStyle = colour
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash(end === undefined ? [3 * devicePixelRatio, 3 * devicePixelRatio] : [])
    ctx.beginPath()
    ctx.moveTo(from, top)
    ctx.lineTo(from, top + height)
    ctx.stroke()
  }
  ctx.restore()
}

/** The options of uPlot for a look. Colours are read where `root` stands. */
export function chartOptions(root: HTMLElement, look: ChartLook, events: ChartEvents, size: { width: number; height: number }): uPlot.Options {
  return {
    ...size,
    ms: 1,
    tzDate: (time) => (look.zone === 'utc' ? uPlot.tzDate(new Date(time), 'Etc/UTC') : new Date(time)),
    // Right: half of the last time under the axis.
    padding: [8, 18, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: true, auto: false, range: (_u, min, max) => [min, max] },
      y: { range: (_u, min, max) => [look.below ? Math.min(0, Number.isFinite(min) ? min * 1.08 : 0) : 0, Math.max(Number.isFinite(max) ? max * 1.08 : 0, look.atLeast)] },
    },
    axes: axes(root, look),
    series: [{}, ...lines(root, look)],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      sync: { key: look.syncKey, setSeries: false },
      points: { size: 7 },
      y: false,
      bind: { dblclick: () => () => (events.zoomOut(), null) },
    },
    hooks: {
      drawClear: [(u) => drawMarks(u, root, events.marks())],
      setSelect: [
        (u) => {
          const { left, width } = u.select
          if (width < 4) return
          const [start, end] = [u.posToVal(left, 'x'), u.posToVal(left + width, 'x')]
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          // A linked chart sees the same selection; only the one under the pointer speaks.
          if (u.over.matches(':hover')) events.select(start, end)
        },
      ],
      setCursor: [(u) => events.cursor(u.cursor.idx ?? null)],
    },
  }
}
