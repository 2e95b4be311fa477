import { useMemo } from 'react'
import { deploysPath, type DeploysAnswer } from '../api/detection.ts'
import { incidentsOfPath, type IncidentsAnswer } from '../api/incidents.ts'
import { useLive } from '../api/use-live.ts'
import type { ChartMark } from '../charts/chart-options.ts'
import type { Shell } from '../ui/use-shell.ts'

/** Deploys and incidents of a service, for its charts: what explains a jump stands beside it. Empty while they are not known. */
export function useServiceMarks(service: string, shell: Pick<Shell, 'selection'>): readonly ChartMark[] {
  const deploys = useLive<DeploysAnswer>(deploysPath(shell.selection, service))
  const incidents = useLive<IncidentsAnswer>(incidentsOfPath(service))
  return useMemo(() => marksOf(deploys.data, incidents.data), [deploys.data, incidents.data])
}

/** As lines and bands; an incident that lasts reaches to the end of the answer. */
export function marksOf(deploys: DeploysAnswer | undefined, incidents: IncidentsAnswer | undefined): ChartMark[] {
  return [
    ...(incidents?.incidents ?? []).map(({ title, onsetAt, resolvedAt }): ChartMark => ({ start: onsetAt, end: resolvedAt ?? incidents?.now ?? onsetAt, tone: 'bad', label: title })),
    ...(deploys?.deploys ?? []).map(({ service, version, at }): ChartMark => ({ start: at, tone: 'series-4', label: `${service} ${version}` })),
  ]
}
