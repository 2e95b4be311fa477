// Who is held against one another in every report.
import { PARAMETER_SET, Watch } from '@andon/server'
import { type Alarm, type Detector, robustZ, staticThreeSigma } from './detectors.ts'
import { watchDetector } from './pipeline.ts'
import type { Stretch } from './stretch.ts'

/** A detector that judges each stretch once, however often it is asked. */
function once(detector: Detector): Detector {
  const known = new Map<Stretch, ReturnType<Detector['judge']>>()
  return {
    name: detector.name,
    judge: (stretch) => {
      const judged = known.get(stretch) ?? detector.judge(stretch)
      known.set(stretch, judged)
      return judged
    },
  }
}

/** The same alarms, of which others count as pages. */
function told(name: string, detector: Detector, isPage: (alarm: Alarm) => boolean): Detector {
  return { name, judge: async (stretch) => (await detector.judge(stretch)).map((alarm) => ({ ...alarm, page: isPage(alarm) })) }
}

const isOfService = ({ track }: Alarm): boolean => track === 'service' || track === 'ticket'

/** The server's own detection (what pages, what is told at all, and what any series says before corroboration), then the two peers. */
export function contestants(): readonly Detector[] {
  const own = once(watchDetector(`Andon (${PARAMETER_SET})`, Watch))
  return [own, told('Andon, pages and tickets', own, isOfService), told('Andon, any series', own, (alarm) => !isOfService(alarm)), staticThreeSigma, robustZ]
}
