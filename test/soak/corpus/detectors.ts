// Who judges: the interface of a detector, and the two simple ones that every other is compared with.
import type { Milliseconds } from '@andon/model'
import { median } from '@andon/model'
import type { Stretch, Track } from './replay.ts'

/** A track that was out of the ordinary for a while. */
export interface Alarm {
  readonly track: string
  /** End of the slice with which it was told; it could not have been told earlier. */
  readonly start: Milliseconds
  /** End of the last slice in which it stood. */
  readonly end: Milliseconds
  /** Whether a person is woken; true when absent. A detector that asks for two tracks to agree says false of one alone. */
  readonly page?: boolean
}

/** Judges a stretch slice by slice, on data time: what is said of a slice may only come from it and from slices before. */
export interface Detector {
  readonly name: string
  judge(stretch: Stretch): readonly Alarm[] | Promise<readonly Alarm[]>
}

/** Slices of an hour. */
const HOUR = 240
/** Slices between two of which an alarm goes on. */
const GAP = 2

/** Alarms of the slices in which a track fires. */
export function episodes({ start, stepMs, slices }: Stretch, track: string, fires: (slice: number) => boolean): Alarm[] {
  const found: { track: string; start: Milliseconds; end: Milliseconds }[] = []
  for (let slice = 0; slice < slices; slice += 1) {
    if (!fires(slice)) continue
    const time = start + slice * stepMs
    const last = found.at(-1)
    if (last !== undefined && time - last.end <= (GAP + 1) * stepMs) last.end = time
    else found.push({ track, start: time, end: time })
  }
  return found
}

/** How far beyond the middle a value lies on the side that is worse: upwards, of throughput downwards. */
function worse({ what }: Track, value: number, middle: number): number {
  return what === 'throughput' ? middle - value : value - middle
}

/** More than three standard deviations beyond the mean of the history, three slices in a row; of a stretch without history the first hour is the history. */
export const staticThreeSigma: Detector = {
  name: 'static 3σ, 3 of 3',
  judge: (stretch) =>
    stretch.tracks.flatMap((track) => {
      const length = stretch.history > 0 ? stretch.history : HOUR
      const known = track.values.slice(0, length).filter((value) => !Number.isNaN(value))
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length
      const deviation = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length)
      let row = 0
      return episodes(stretch, track.key, (slice) => {
        row = worse(track, track.values[slice] ?? Number.NaN, mean) > 3 * deviation ? row + 1 : 0
        return row >= 3
      })
    }),
}

/** More than six scaled median absolute deviations beyond the median of the last hour. */
export const robustZ: Detector = {
  name: 'robust z, k = 6',
  judge: (stretch) =>
    stretch.tracks.flatMap((track) => {
      let [middle, spread] = [Number.NaN, Number.NaN]
      return episodes(stretch, track.key, (slice) => {
        if (slice < stretch.history) return false
        // Every minute anew is often enough.
        if (slice % 4 === 0 || slice === stretch.history) {
          const known = [...track.values.subarray(Math.max(0, slice - HOUR), slice)].filter((value) => !Number.isNaN(value))
          middle = median(known)
          spread = 1.4826 * median(known.map((value) => Math.abs(value - middle)))
        }
        return slice >= HOUR && worse(track, track.values[slice] ?? Number.NaN, middle) > 6 * spread
      })
    }),
}
