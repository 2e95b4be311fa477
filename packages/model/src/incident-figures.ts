// How long incidents took to be found, taken, eased and ended.
import type { Milliseconds, Ratio } from './units.ts'

/** Times of one incident; null where there is none yet. None is negative. */
export interface IncidentFigures {
  /** To detect: from the estimated onset. */
  readonly mttdMs: Milliseconds
  /** To acknowledge: from the detection. */
  readonly mttaMs: Milliseconds | null
  /** To mitigate: from the onset. */
  readonly mttmMs: Milliseconds | null
  /** To resolve: from the onset. */
  readonly mttrMs: Milliseconds | null
}

/** A figure over several incidents. Never the mean alone: it hides the bad ones. */
export interface FigureSummary {
  readonly count: number
  readonly p50Ms: Milliseconds | null
  readonly p90Ms: Milliseconds | null
  readonly objectiveMs: Milliseconds | null
  /** The share of them within the objective; null where there are none or there is no objective. */
  readonly within: Ratio | null
}

/** Figures of several incidents, each with its own count: of those that have come so far. */
export interface FigureSummaries {
  readonly mttd: FigureSummary
  readonly mtta: FigureSummary
  readonly mttm: FigureSummary
  readonly mttr: FigureSummary
}

/** How long each may take. */
export interface FigureObjectives {
  readonly detectMs: Milliseconds
  /** Null where nothing was agreed. */
  readonly acknowledgeMs: Milliseconds | null
  readonly resolveMs: Milliseconds
}
