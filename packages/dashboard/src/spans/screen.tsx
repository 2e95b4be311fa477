import { useNavigate, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { ApiError, type Facets, facetsPath, type SearchAnswer, searchPath, type TraceSummary } from '../api/client.ts'
import { useLive, useOnce } from '../api/use-live.ts'
import { Scatter, type ScatterBox } from '../charts/scatter.tsx'
import type { ScatterPoint } from '../charts/scatter-scale.ts'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Failed, Loading, Nothing, Trouble } from '../ui/states.tsx'
import { absoluteSelection } from '../ui/time-range.ts'
import { readShellSearch, readSpansSearch } from '../ui/url-state.ts'
import { usePatch, useShell, useShownRange } from '../ui/use-shell.ts'
import { durationQuery, roundOutward, secondsQuery } from './duration-text.ts'
import { Filters } from './filters.tsx'
import { ResultTable } from './result-table.tsx'
import './spans.css'

const LIMIT = 500

/** The search of traces: filters, durations over time, and the traces found. */
export function SpansScreen(): JSX.Element {
  const shell = useShell()
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSpansSearch(raw), [raw])
  const patch = usePatch()
  const navigate = useNavigate()
  const facets = useOnce<Facets>(facetsPath(shell.selection))
  const { minDuration, maxDuration, ...others } = search
  const filter = { ...others, ...asQuery('minDuration', minDuration), ...asQuery('maxDuration', maxDuration) }
  const query = useLive<SearchAnswer>(searchPath(shell.selection, filter, LIMIT))
  const range = useShownRange(shell.selection, query.data)
  const { data, error } = query
  const points = useMemo(() => (data?.traces ?? []).map(pointOf), [data])
  const open = (traceId: string): void =>
    void navigate({ to: '/trace/$traceId', params: { traceId }, search: (before: Record<string, unknown>) => readShellSearch(before) })
  const narrow = (box: ScatterBox): void =>
    patch({
      ...absoluteSelection(box),
      ...(box.shortest > 0 ? { minDuration: secondsQuery(roundOutward(box.shortest, 'down')) } : {}),
      ...(Number.isFinite(box.longest) ? { maxDuration: secondsQuery(roundOutward(box.longest, 'up')) } : {}),
    })
  return (
    <div className="stack">
      <PageHead title="Traces" note={data === undefined ? 'Searching …' : resultText(data)} />
      <Panel>
        <Filters key={JSON.stringify(search)} search={search} facets={facets.data} onChange={(change) => patch(change)} />
      </Panel>
      <Trouble error={error} has={data !== undefined} />
      {error !== null && data === undefined && (
        <Failed
          error={error instanceof ApiError ? { message: error.message, hint: error.hint, code: error.code } : { message: error.message }}
          retry={() => void query.refetch()}
        />
      )}
      {data === undefined && error === null && (
        <Panel>
          <Loading rows={8} />
        </Panel>
      )}
      {data !== undefined && data.traces.length === 0 && (
        <Panel>
          <Nothing title="No trace matches">
            {Object.keys(search).length === 0 ? 'No service has sent spans in this range.' : 'Take a filter away, or choose a longer time.'}
          </Nothing>
        </Panel>
      )}
      {data !== undefined && data.traces.length > 0 && (
        <>
          <Panel title="Duration over time" aside="Click opens a trace · drag a box to narrow time and duration" faded={query.isPlaceholderData}>
            <Scatter points={points} range={range} zone={shell.zone} onOpen={open} onBox={narrow} onZoomOut={shell.zoomOut} />
          </Panel>
          <Panel flush faded={query.isPlaceholderData}>
            <ResultTable traces={data.traces} zone={shell.zone} />
          </Panel>
        </>
      )}
    </div>
  )
}

const asQuery = (key: 'minDuration' | 'maxDuration', typed: string | undefined): Record<string, string> => {
  const text = typed === undefined ? null : durationQuery(typed)
  return text === null ? {} : { [key]: text }
}

const pointOf = (trace: TraceSummary): ScatterPoint => ({
  id: trace.traceId,
  time: trace.start,
  seconds: trace.durationNs / 1e9,
  failed: trace.errorCount > 0,
  label: `${trace.rootService} · ${trace.rootName}`,
})

function resultText({ traces, truncated }: SearchAnswer): string {
  const failed = traces.filter((trace) => trace.errorCount > 0).length
  const found = truncated ? `The newest ${traces.length} traces (there are more)` : traces.length === 1 ? '1 trace' : `${traces.length} traces`
  return failed === 0 ? found : `${found}, ${failed} with errors`
}
