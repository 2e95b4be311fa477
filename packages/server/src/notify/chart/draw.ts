// A metric around an event: its course, the threshold, the moment at which it fired.
import type { Milliseconds, TimeRange } from '@andon/model'
import { Canvas, textWidth } from './canvas.ts'
import { encodePng } from './png.ts'

export interface ChartSeries {
  readonly name: string
  /** In order. */
  readonly times: readonly Milliseconds[]
  /** Aligned to `times`; null, NaN and infinities are gaps. */
  readonly values: readonly (number | null)[]
}

export interface ChartInput {
  readonly title: string
  readonly series: readonly ChartSeries[]
  readonly range: TimeRange
  readonly threshold: number | undefined
  readonly marks: readonly { readonly at: Milliseconds; readonly label: string }[]
}

const SIZE = { width: 800, height: 320 } as const
const PLOT = { left: 78, top: 40, right: 16, bottom: 30 } as const
const SCALE = 2
/** Series that are drawn; more are not told apart. */
export const SERIES_MAX = 5

/** 0xRRGGBB; the series from `LINE` on. */
const PALETTE = [0xffffff, 0xeaecf0, 0x667085, 0x1d2939, 0xd92d20, 0xfef3f2, 0x2e90fa, 0x12b76a, 0xf79009, 0x9e77ed, 0x06aed4] as const
const INK = { paper: 0, grid: 1, label: 2, title: 3, alarm: 4, fired: 5, line: 6 } as const

const STEPS: readonly Milliseconds[] = [60_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000, 604_800_000]

/** Round numbers that hold the values between them. @returns the distance, and the ends */
function ticksOf(low: number, high: number): { readonly step: number; readonly low: number; readonly high: number } {
  const span = high - low > 0 ? high - low : Math.abs(high) > 0 ? Math.abs(high) : 1
  const rough = span / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough
  const [from, to] = [Math.floor(low / step) * step, Math.ceil(high / step) * step]
  return { step, low: from, high: to > from ? to : from + step }
}

/** @example shortNumber(81_200) // '81.2k' */
export function shortNumber(value: number): string {
  const size = Math.abs(value)
  const [divisor, suffix] = size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e4 ? [1e3, 'k'] : [1, '']
  return size !== 0 && size < 1e-3 ? value.toExponential(0) : `${Number((value / divisor).toPrecision(3))}${suffix}`
}

const isDrawn = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value)

class Chart {
  readonly #canvas = new Canvas(SIZE.width, SIZE.height)
  readonly #input: ChartInput
  readonly #width = SIZE.width - PLOT.left - PLOT.right
  readonly #height = SIZE.height - PLOT.top - PLOT.bottom
  readonly #low: number
  readonly #high: number
  readonly #step: number

  constructor(input: ChartInput) {
    this.#input = input
    const { threshold } = input
    const seen = input.series.slice(0, SERIES_MAX).flatMap(({ values }) => values.filter(isDrawn))
    if (threshold !== undefined && Number.isFinite(threshold)) seen.push(threshold)
    let [low, high] = [0, seen.length === 0 ? 1 : Number.NEGATIVE_INFINITY]
    for (const value of seen) {
      low = Math.min(low, value)
      high = Math.max(high, value)
    }
    const ticks = ticksOf(low, high)
    this.#low = ticks.low
    this.#high = ticks.high
    this.#step = ticks.step
  }

  #x(time: Milliseconds): number {
    const { start, end } = this.#input.range
    return PLOT.left + Math.round(((time - start) / Math.max(1, end - start)) * (this.#width - 1))
  }

  #y(value: number): number {
    return PLOT.top + Math.round((1 - (value - this.#low) / (this.#high - this.#low)) * (this.#height - 1))
  }

  #axes(): void {
    const canvas = this.#canvas
    const { start, end } = this.#input.range
    for (let index = 0; this.#low + index * this.#step <= this.#high + this.#step / 1000; index += 1) {
      const value = this.#low + index * this.#step
      const y = this.#y(value)
      canvas.horizontal({ x: PLOT.left, y }, this.#width, INK.grid)
      const text = shortNumber(value)
      canvas.text({ x: PLOT.left - 8 - textWidth(text, SCALE), y: y - 7 }, text, INK.label, SCALE)
    }
    canvas.text({ x: 10, y: SIZE.height - PLOT.bottom + 8 }, 'UTC', INK.label, SCALE)
    const step = STEPS.find((each) => (end - start) / each <= 7) ?? (end - start) / 6
    for (let time = Math.ceil(start / step) * step; time <= end; time += step) {
      const x = this.#x(time)
      const text = step >= 86_400_000 ? new Date(time).toISOString().slice(5, 10) : new Date(time).toISOString().slice(11, 16)
      const left = x - Math.round(textWidth(text, SCALE) / 2)
      canvas.vertical({ x, y: PLOT.top }, this.#height, INK.grid)
      if (left >= 10 + textWidth('UTC ', SCALE) && left + textWidth(text, SCALE) <= SIZE.width) canvas.text({ x: left, y: SIZE.height - PLOT.bottom + 8 }, text, INK.label, SCALE)
    }
  }

  #lines(): void {
    for (const [index, { times, values }] of this.#input.series.slice(0, SERIES_MAX).entries()) {
      let before: { x: number; y: number } | undefined
      for (const [place, time] of times.entries()) {
        const value = values[place]
        const point = isDrawn(value) && time >= this.#input.range.start && time <= this.#input.range.end ? { x: this.#x(time), y: this.#y(value) } : undefined
        if (point !== undefined) this.#canvas.line(before ?? point, point, INK.line + index)
        before = point
      }
    }
  }

  #limits(): void {
    const canvas = this.#canvas
    const { threshold, marks, range } = this.#input
    if (threshold !== undefined && Number.isFinite(threshold)) {
      const y = this.#y(threshold)
      canvas.horizontal({ x: PLOT.left, y }, this.#width, INK.alarm, 6)
      canvas.horizontal({ x: PLOT.left, y: y + 1 }, this.#width, INK.alarm, 6)
    }
    for (const { at, label } of marks) {
      if (at < range.start || at > range.end) continue
      const x = this.#x(at)
      canvas.vertical({ x, y: PLOT.top }, this.#height, INK.alarm, 3)
      canvas.rectangle({ x: x - 4, y: PLOT.top - 6 }, 9, 6, INK.alarm)
      const width = textWidth(label, 1)
      const left = x + 8 + width <= SIZE.width ? x + 8 : x - 8 - width
      canvas.text({ x: left, y: PLOT.top - 8 }, label, INK.alarm, 1)
    }
  }

  draw(): Buffer {
    const { marks, range, title } = this.#input
    const [first, second] = marks
    if (first !== undefined && first.at <= range.end) {
      const x = this.#x(Math.max(first.at, range.start))
      this.#canvas.rectangle({ x, y: PLOT.top }, this.#x(Math.min(second?.at ?? range.end, range.end)) - x, this.#height, INK.fired)
    }
    this.#axes()
    this.#lines()
    this.#limits()
    const room = Math.floor((SIZE.width - 20) / textWidth('x', SCALE))
    this.#canvas.text({ x: 10, y: 8 }, title.length > room ? `${title.slice(0, room - 3)}...` : title, INK.title, SCALE)
    return encodePng(this.#canvas, PALETTE)
  }
}

/** A PNG of 800 by 320 pixels. Times are written in UTC. */
export function drawChart(input: ChartInput): Buffer {
  return new Chart(input).draw()
}
