// Who judges: the interface of a detector, and the two simple ones that every other is compared with.
import type { Milliseconds } from '@andon/model'
import { RobustZ, type SimpleDetector, StaticSigma, type Worse } from './simple-detectors.ts'
import type { Stretch, Track } from './stretch.ts'

/** A track that was out of the ordinary for a while. */
export interface Alarm {
  /** The key of the track; of the whole service `service` where a person is woken, `ticket` where somebody is told. */
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

/** Alarms of the slices in which a track fires: one of each run of them. What fires anew soon after is another alarm, of the same incident. */
export function episodes({ start, stepMs, slices }: Stretch, track: string, fires: (slice: number) => boolean): Alarm[] {
  const found: { track: string; start: Milliseconds; end: Milliseconds }[] = []
  for (let slice = 0; slice < slices; slice += 1) {
    if (!fires(slice)) continue
    const time = start + slice * stepMs
    const last = found.at(-1)
    if (last?.end === time - stepMs) last.end = time
    else found.push({ track, start: time, end: time })
  }
  return found
}

/** Judges every track by itself. */
function ofTracks(name: string, make: (worse: Worse, track: Track, stretch: Stretch) => SimpleDetector): Detector {
  return {
    name,
    judge: (stretch) =>
      stretch.tracks.flatMap((track) => {
        const detector = make(track.what === 'throughput' ? 'down' : 'up', track, stretch)
        return episodes(stretch, track.key, (slice) => detector.add(track.values[slice] ?? Number.NaN))
      }),
  }
}

/** Learns from the first day of the history, from all of a shorter one; of a stretch without history the first hour is the history. */
export const staticThreeSigma: Detector = ofTracks('static 3σ, 3 of 3', (worse, { values }, { history }) => new StaticSigma(worse, values.subarray(0, history > 0 ? history : HOUR).filter((value) => !Number.isNaN(value)).length))

export const robustZ: Detector = ofTracks('robust z, k = 6', (worse) => new RobustZ(worse))
