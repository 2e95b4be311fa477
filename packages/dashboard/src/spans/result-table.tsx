import { useVirtualizer } from '@tanstack/react-virtual'
import { type JSX, useCallback, useMemo, useRef, useState } from 'react'
import type { TraceSummary } from '../api/client.ts'
import { serviceColours } from '../charts/palette.ts'
import { AppLink } from '../ui/app-link.tsx'
import { Icon } from '../ui/icons.tsx'
import { Num } from '../ui/number.tsx'
import { type Column, sortRows, type Sorting } from '../ui/sorting.ts'
import type { Zone } from '../ui/time-range.ts'
import { timeText } from '../ui/time-text.ts'
import { useRowKeys } from '../ui/use-row-keys.ts'

export interface ResultTableProps {
  readonly traces: readonly TraceSummary[]
  readonly zone: Zone
}

const ROW = 44
const seconds = (trace: TraceSummary): number => trace.durationNs / 1e9

const COLUMNS: readonly Column<TraceSummary>[] = [
  { key: 'name', header: 'Trace', order: (trace) => trace.rootName, cell: () => null },
  { key: 'duration', header: 'Duration', align: 'end', order: seconds, cell: () => null },
  { key: 'spans', header: 'Spans', align: 'end', minor: true, order: (trace) => trace.spanCount, cell: () => null },
  { key: 'services', header: 'Services', minor: true, cell: () => null },
  { key: 'start', header: 'Started', align: 'end', order: (trace) => trace.start, cell: () => null },
]

/**
 * The traces found, virtualised: a table by its roles, because rows that stand absolutely cannot be rows of a real table. Each row is
 * covered by its link.
 */
export function ResultTable({ traces, zone }: ResultTableProps): JSX.Element {
  const [sorting, setSorting] = useState<Sorting>({ key: 'start', down: true })
  const rows = useMemo(() => sortRows(traces, COLUMNS, sorting), [traces, sorting])
  const colours = useMemo(() => serviceColours(traces.flatMap((trace) => trace.services.map((service) => service.name))), [traces])
  const longest = useMemo(() => Math.max(...traces.map(seconds), 1e-9), [traces])
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 10 })
  const last = rows.length - 1
  const focusRow = useCallback(
    (row: HTMLElement, step: 1 | -1) => {
      const to = Math.min(last, Math.max(0, Number(row.dataset['index']) + step))
      virtual.scrollToIndex(to, { align: 'auto' })
      requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-index="${to}"] a`)?.focus())
    },
    [virtual, last],
  )
  useRowKeys(scroller, focusRow)
  return (
    <div className="results" role="table" aria-label="Traces found" aria-rowcount={rows.length + 1}>
      <div className="results-head" role="rowgroup">
        <div className="result" role="row">
          {COLUMNS.map((column) => (
            <Head key={column.key} column={column} sorting={sorting} onSort={setSorting} />
          ))}
        </div>
      </div>
      <div className="results-body" ref={scroller} role="rowgroup" style={{ height: Math.min(rows.length * ROW + 2, 620) }}>
        <div role="none" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map((item) => {
            const trace = rows[item.index]
            if (trace === undefined) return null
            return <Row key={trace.traceId} trace={trace} index={item.index} top={item.start} zone={zone} longest={longest} colours={colours} />
          })}
        </div>
      </div>
    </div>
  )
}

function Head({ column, sorting, onSort }: { readonly column: Column<TraceSummary>; readonly sorting: Sorting; readonly onSort: (sorting: Sorting) => void }): JSX.Element {
  const mine = sorting.key === column.key
  const classes = `${column.align === 'end' ? 'end' : ''} ${column.minor === true ? 'minor' : ''}`
  if (column.order === undefined) {
    return (
      <div role="columnheader" className={classes}>
        {column.header}
      </div>
    )
  }
  return (
    <div role="columnheader" className={classes} aria-sort={mine ? (sorting.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className={mine ? 'sort on' : 'sort'} onClick={() => onSort({ key: column.key, down: mine ? !sorting.down : true })}>
        {column.header}
        <Icon name={mine && !sorting.down ? 'up' : 'down'} size={12} />
      </button>
    </div>
  )
}

interface RowProps {
  readonly trace: TraceSummary
  readonly index: number
  readonly top: number
  readonly zone: Zone
  readonly longest: number
  readonly colours: ReadonlyMap<string, string>
}

function Row({ trace, index, top, zone, longest, colours }: RowProps): JSX.Element {
  const failed = trace.errorCount > 0
  return (
    <div
      className="result row"
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      style={{ transform: `translateY(${top}px)`, height: ROW }}
    >
      <div role="cell" className="result-name">
        <AppLink to="/trace/$traceId" params={{ traceId: trace.traceId }}>
          {trace.rootName === '' ? '(root not received)' : trace.rootName}
        </AppLink>
        <small className="dim">{trace.rootService}</small>
        {failed && <span className="tag bad">{trace.errorCount === 1 ? '1 error' : `${trace.errorCount} errors`}</span>}
      </div>
      <div role="cell" className="end result-duration">
        <i style={{ '--share': `${(seconds(trace) / longest) * 100}%` }} className={failed ? 'bad' : ''} />
        <Num value={seconds(trace)} unit="seconds" />
      </div>
      <div role="cell" className="end minor">
        <Num value={trace.spanCount} unit="count" />
      </div>
      <div role="cell" className="minor result-services">
        {trace.services.map((service) => (
          <span key={service.name} className="tag" style={{ '--swatch': `var(${colours.get(service.name) ?? '--text-dim'})` }}>
            <i className="swatch square" />
            {service.name}
          </span>
        ))}
      </div>
      <div role="cell" className="end dim result-start">
        {timeText(trace.start, zone).slice(5)}
      </div>
    </div>
  )
}
