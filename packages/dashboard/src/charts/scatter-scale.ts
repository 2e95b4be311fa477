/** A point of the scatter: time in milliseconds, duration in seconds. */
export interface ScatterPoint {
  readonly id: string
  readonly time: number
  readonly seconds: number
  readonly failed: boolean
  readonly label: string
}

/** The plotted area and what its edges mean; pixels are CSS pixels, durations lie on a logarithmic scale. */
export interface ScatterFrame {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
  readonly start: number
  readonly end: number
  /** Seconds, both greater than 0. */
  readonly lowest: number
  readonly highest: number
}

/** The range of durations shown: whole decades around the points, at least one. */
export function durationDecades(points: readonly ScatterPoint[]): { readonly lowest: number; readonly highest: number } {
  let low = Infinity
  let high = 0
  for (const { seconds } of points) {
    if (seconds <= 0) continue
    low = Math.min(low, seconds)
    high = Math.max(high, seconds)
  }
  if (high === 0) return { lowest: 0.001, highest: 1 }
  const lowest = 10 ** Math.floor(Math.log10(low))
  return { lowest, highest: Math.max(10 ** Math.ceil(Math.log10(high)), lowest * 10) }
}

/** Where a point lies, CSS pixels; durations outside the scale lie on its edge. */
export function place(frame: ScatterFrame, time: number, seconds: number): { readonly x: number; readonly y: number } {
  const share = Math.log(Math.max(seconds, frame.lowest) / frame.lowest) / Math.log(frame.highest / frame.lowest)
  return {
    x: frame.left + ((time - frame.start) / (frame.end - frame.start)) * frame.width,
    y: frame.top + (1 - Math.min(1, share)) * frame.height,
  }
}

/** The inverse of `place`, kept within the frame. */
export function valueAt(frame: ScatterFrame, x: number, y: number): { readonly time: number; readonly seconds: number } {
  const right = Math.min(1, Math.max(0, (x - frame.left) / frame.width))
  const up = Math.min(1, Math.max(0, 1 - (y - frame.top) / frame.height))
  return { time: frame.start + right * (frame.end - frame.start), seconds: frame.lowest * (frame.highest / frame.lowest) ** up }
}

/** The point nearest to a place, within `reach` CSS pixels; null when there is none. */
export function nearest(frame: ScatterFrame, points: readonly ScatterPoint[], x: number, y: number, reach: number): ScatterPoint | null {
  let best: ScatterPoint | null = null
  let distance = reach * reach
  for (const point of points) {
    const at = place(frame, point.time, point.seconds)
    const squared = (at.x - x) ** 2 + (at.y - y) ** 2
    if (squared <= distance) {
      best = point
      distance = squared
    }
  }
  return best
}

/** The decades to mark, seconds. */
export function decades(frame: { readonly lowest: number; readonly highest: number }): number[] {
  const marks: number[] = []
  for (let mark = frame.lowest; mark <= frame.highest * 1.0001; mark *= 10) marks.push(mark)
  return marks
}

const SECOND = 1000
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800].map((seconds) => seconds * SECOND)

/**
 * Round times to mark between two times, and their distance, milliseconds. Rounded in UTC, which agrees with local time for
 * all steps up to a quarter of an hour.
 *
 * @param most - the largest number of marks wanted, at least 1
 */
export function timeMarks(start: number, end: number, most: number): { readonly marks: number[]; readonly step: number } {
  const rough = (end - start) / most
  const step = STEPS.find((candidate) => candidate >= rough) ?? Math.ceil(rough)
  const marks: number[] = []
  for (let mark = Math.ceil(start / step) * step; mark <= end; mark += step) marks.push(mark)
  return { marks, step }
}
