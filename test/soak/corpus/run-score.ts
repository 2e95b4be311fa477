// `npm run soak -- score`: replays what was recorded through all detectors.
import * as server from '@andon/server'
import { type Detector, robustZ, staticThreeSigma } from './detectors.ts'
import { type WatchClass, watchDetector } from './pipeline.ts'
import { readManifest, RECORDED } from './recording.ts'
import { load, type Stretch } from './replay.ts'
import { corpusReport } from './report.ts'
import { type Score, score } from './score.ts'

export interface ScoreOptions {
  /** Of history before each segment: a backtest looks at seven days. */
  readonly historyHours: number
  readonly machine: string
  readonly folder?: string
  readonly told?: (line: string) => void
}

function isWatchClass(value: unknown): value is WatchClass {
  return typeof value === 'function'
}

/** The server's detection, where this build of the server has it, then those it is compared with. */
export function detectors(): readonly Detector[] {
  const [Watch, parameters]: readonly unknown[] = [Reflect.get(server, 'Watch'), Reflect.get(server, 'PARAMETER_SET')]
  const own = isWatchClass(Watch) ? [watchDetector(`Andon${typeof parameters === 'string' ? ` (${parameters})` : ''}`, Watch)] : []
  return [...own, staticThreeSigma, robustZ]
}

/** @throws Error when nothing was recorded */
export async function scoreCorpus({ historyHours, machine, folder = RECORDED, told }: ScoreOptions): Promise<string> {
  const manifest = readManifest(folder)
  if (manifest.segments.length === 0) throw new Error('nothing was recorded yet: npm run soak -- corpus')
  const stretches = load(folder, manifest, historyHours)
  const of = async (part: Stretch['part']): Promise<Score[]> => {
    const scores: Score[] = []
    for (const detector of detectors()) {
      told?.(`${part}: ${detector.name}`)
      scores.push(await score(detector, stretches.filter((stretch) => stretch.part === part)))
    }
    return scores
  }
  return corpusReport({ manifest, historyHours, scores: { proof: await of('proof'), tuning: await of('tuning') }, machine })
}
