// `npm run soak -- score`: replays what was recorded through all detectors.
import { contestants } from '../scoring/contestants.ts'
import { type Score, score } from '../scoring/score.ts'
import type { Part } from '../scoring/stretch.ts'
import { LOADS } from './plan.ts'
import { readLanes, RECORDED } from './recording.ts'
import { load } from './replay.ts'
import { corpusReport } from './report.ts'

export interface ScoreOptions {
  /** Of history before each segment: a backtest looks at seven days. */
  readonly historyHours: number
  readonly machine: string
  readonly folder?: string
  readonly told?: (line: string) => void
}

/** @throws Error when nothing was recorded */
export async function scoreCorpus({ historyHours, machine, folder = RECORDED, told }: ScoreOptions): Promise<string> {
  const manifest = readLanes(folder, LOADS)
  if (manifest.segments.length === 0) throw new Error('nothing was recorded yet: npm run soak -- corpus')
  const stretches = load(folder, manifest, historyHours)
  const of = async (part: Part): Promise<Score[]> => {
    const scores: Score[] = []
    for (const detector of contestants()) {
      told?.(`${part}: ${detector.name}`)
      scores.push(await score(detector, stretches.filter((stretch) => stretch.part === part)))
    }
    return scores
  }
  return corpusReport({ manifest, historyHours, scores: { proof: await of('proof'), tuning: await of('tuning') }, machine })
}
