import { Button, TextInput } from '@mantine/core'
import { useParams, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { ApiError, type Trace, tracePath, type TraceSpan } from '../api/client.ts'
import { useOnce } from '../api/use-live.ts'
import { serviceColours } from '../charts/palette.ts'
import { buildTree } from '../charts/trace-tree.ts'
import { Waterfall } from '../charts/waterfall.tsx'
import { CopyIcon } from '../ui/copy-text.tsx'
import { Icon } from '../ui/icons.tsx'
import { Num } from '../ui/number.tsx'
import { Panel } from '../ui/panel.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { preciseTimeText } from '../ui/time-text.ts'
import { readTraceSearch } from '../ui/url-state.ts'
import { usePatch, useShell } from '../ui/use-shell.ts'
import { SpanDetail } from './span-detail.tsx'
import { matchingSpans, saveJson } from './trace-text.ts'
import './spans.css'

/** One trace: its spans as a tree over time, and all that is known of the selected one. */
export function TraceScreen(): JSX.Element {
  const { traceId = '' } = useParams({ strict: false })
  const query = useOnce<Trace>(tracePath(traceId))
  const { data, error } = query
  if (error !== null && data === undefined) {
    const failure = error instanceof ApiError ? { message: error.message, hint: error.hint, code: error.code } : { message: error.message }
    return <Failed error={failure} retry={() => void query.refetch()} />
  }
  if (data === undefined) {
    return (
      <Panel>
        <Loading rows={12} height={22} />
      </Panel>
    )
  }
  return <Loaded trace={data} />
}

function Loaded({ trace }: { readonly trace: Trace }): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readTraceSearch(raw), [raw])
  const patch = usePatch()
  const nodes = useMemo(() => buildTree(trace.spans), [trace])
  const colours = useMemo(() => serviceColours(nodes.map((node) => node.span.service)), [nodes])
  const found = useMemo(() => matchingSpans(trace.spans, search.find ?? ''), [trace, search.find])
  const selected = trace.spans.find((span) => span.id === search.span) ?? null
  return (
    <div className="trace-page">
      <Head trace={trace} rootName={nodes[0]?.span.name ?? ''} rootService={nodes[0]?.span.service ?? ''} />
      <div className="trace-tools">
        <Legend spans={trace.spans} colours={colours} />
        <TextInput
          size="xs"
          aria-label="Find spans by name, service or attribute"
          placeholder="Find in this trace"
          leftSection={<Icon name="search" size={14} />}
          value={search.find ?? ''}
          onChange={(event) => patch({ find: event.currentTarget.value === '' ? undefined : event.currentTarget.value }, true)}
          rightSectionWidth={74}
          rightSection={found === null ? null : <small className="dim">{found.size} found</small>}
        />
      </div>
      <div className={selected === null ? 'trace-body' : 'trace-body split'}>
        <Panel flush className="trace-panel">
          <Waterfall
            nodes={nodes}
            colours={colours}
            selected={selected?.id ?? null}
            found={found}
            eventsOf={eventsOf}
            onSelect={(span) => patch({ span: span ?? undefined }, true)}
          />
        </Panel>
        {selected !== null && <SpanDetail trace={trace} span={selected} colour={colours.get(selected.service) ?? '--text-dim'} onClose={() => patch({ span: undefined }, true)} />}
      </div>
    </div>
  )
}

const eventsOf = (span: TraceSpan): readonly number[] => span.events.map((event) => event.offsetUs)

function Head({ trace, rootName, rootService }: { readonly trace: Trace; readonly rootName: string; readonly rootService: string }): JSX.Element {
  const { zone } = useShell()
  const failed = trace.spans.filter((span) => span.status === 'error').length
  const services = new Set(trace.spans.map((span) => span.service)).size
  return (
    <div className="page-head">
      <div className="trace-title">
        <h1>
          {rootName === '' ? 'Trace' : rootName} <span className="dim">{rootService}</span>
        </h1>
        <p className="trace-facts">
          <b>
            <Num value={Number(trace.durationNs) / 1e9} unit="seconds" />
          </b>
          <span>
            <Num value={trace.spans.length} unit="count" /> spans
          </span>
          <span>{services === 1 ? '1 service' : `${services} services`}</span>
          {failed > 0 && <span className="tag bad">{failed === 1 ? '1 error' : `${failed} errors`}</span>}
          <span className="dim">
            {preciseTimeText(trace.start, zone)}
            {zone === 'utc' ? ' UTC' : ''}
          </span>
          <span className="trace-id">
            <span className="mono dim">{trace.traceId}</span>
            <CopyIcon text={trace.traceId} label="Copy the trace id" />
          </span>
        </p>
      </div>
      <Button size="xs" variant="default" leftSection={<Icon name="download" size={14} />} onClick={() => saveJson(trace)}>
        JSON
      </Button>
    </div>
  )
}

function Legend({ spans, colours }: { readonly spans: readonly TraceSpan[]; readonly colours: ReadonlyMap<string, string> }): JSX.Element {
  const counts = new Map<string, number>()
  for (const span of spans) counts.set(span.service, (counts.get(span.service) ?? 0) + 1)
  return (
    <ul className="legend" aria-label="Services in this trace">
      {[...colours].map(([service, colour]) => (
        <li key={service} style={{ '--swatch': `var(${colour})` }}>
          <i className="swatch square" />
          {service} <span className="dim">{counts.get(service)?.toLocaleString('en-US')} spans</span>
        </li>
      ))}
    </ul>
  )
}
