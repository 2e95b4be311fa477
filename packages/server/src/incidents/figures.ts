// How long incidents took to be found, taken, eased and ended.
import { type FigureObjectives, type FigureSummaries, type FigureSummary, type Incident, type IncidentFigures, type Milliseconds, quantile } from '@andon/model'

const since = (from: Milliseconds, to: Milliseconds | null | undefined): Milliseconds | null => (to === null || to === undefined ? null : Math.max(0, to - from))

/** Times of one incident. A reopened one is resolved when it is for the last time, and was acknowledged when it was for the first. */
export function figuresOf({ onsetAt, marks, firstAcknowledgedAt }: Pick<Incident, 'onsetAt' | 'marks' | 'firstAcknowledgedAt'>): IncidentFigures {
  return {
    mttdMs: Math.max(0, marks.detected.at - onsetAt),
    mttaMs: since(marks.detected.at, firstAcknowledgedAt),
    mttmMs: since(onsetAt, marks.mitigated?.at),
    mttrMs: since(onsetAt, marks.resolved?.at),
  }
}

function summary(values: readonly (Milliseconds | null)[], objectiveMs: Milliseconds | null): FigureSummary {
  const there = values.filter((value) => value !== null).toSorted((a, b) => a - b)
  const count = there.length
  return {
    count,
    p50Ms: count === 0 ? null : Math.round(quantile(there, 0.5)),
    p90Ms: count === 0 ? null : Math.round(quantile(there, 0.9)),
    objectiveMs,
    within: count === 0 || objectiveMs === null ? null : there.filter((value) => value < objectiveMs).length / count,
  }
}

/** Figures over several incidents. */
export function summarize(incidents: readonly Incident[], { detectMs, acknowledgeMs, resolveMs }: FigureObjectives): FigureSummaries {
  const figures = incidents.map(figuresOf)
  return {
    mttd: summary(figures.map(({ mttdMs }) => mttdMs), detectMs),
    mtta: summary(figures.map(({ mttaMs }) => mttaMs), acknowledgeMs),
    mttm: summary(figures.map(({ mttmMs }) => mttmMs), null),
    mttr: summary(figures.map(({ mttrMs }) => mttrMs), resolveMs),
  }
}
