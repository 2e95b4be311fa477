import { useVirtualizer } from '@tanstack/react-virtual'
import { type JSX, type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import { quantityText } from '../ui/format.ts'
import { Minimap } from './minimap.tsx'
import { rulerMarks, type TraceExtent, traceExtent, type TreeNode, type TreeSpan, visibleRows } from './trace-tree.ts'
import { type RowEvents, WaterfallRow } from './waterfall-row.tsx'
import { type Move, moveSelection } from './waterfall-keys.ts'
import './charts.css'

export interface WaterfallProps<S extends TreeSpan> {
  /** From buildTree. */
  readonly nodes: readonly TreeNode<S>[]
  /** Custom properties by service. */
  readonly colours: ReadonlyMap<string, string>
  readonly selected: string | null
  /** Spans that were searched for; null when nothing is. The others are dimmed. */
  readonly found: ReadonlySet<string> | null
  readonly eventsOf: (span: S) => readonly number[]
  readonly onSelect: (id: string | null) => void
}

const ROW = 28
const PAGE = 12
const MOVES: Readonly<Record<string, Move>> = {
  ArrowDown: { kind: 'by', rows: 1 },
  ArrowUp: { kind: 'by', rows: -1 },
  PageDown: { kind: 'by', rows: PAGE },
  PageUp: { kind: 'by', rows: -PAGE },
  Home: { kind: 'by', rows: -Infinity },
  End: { kind: 'by', rows: Infinity },
  ArrowRight: { kind: 'in' },
  ArrowLeft: { kind: 'out' },
}

/**
 * A trace as a tree over time: virtualised rows under a minimap. One tab stop; the arrow keys move, open and close, Enter selects,
 * Escape lets go. Fetches nothing.
 */
export function Waterfall<S extends TreeSpan>(props: WaterfallProps<S>): JSX.Element {
  const { nodes, colours, selected, found, onSelect } = props
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set())
  const [active, setActive] = useState<string | null>(selected)
  const extent = useMemo(() => traceExtent(nodes.map((node) => node.span)), [nodes])
  const [zoomed, setZoomed] = useState<TraceExtent | null>(null)
  const window = zoomed ?? extent
  const rows = useMemo(() => visibleRows(nodes, collapsed), [nodes, collapsed])
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })

  // The selected span may come from the URL or from the search: bring it into view.
  useEffect(() => {
    if (selected === null) return
    setActive(selected)
    const at = rows.findIndex((row) => row.span.id === selected)
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' })
    // Only a new selection scrolls; collapsing rows must not.
  }, [selected])

  const toggle = (id: string): void => {
    const next = new Set(collapsed)
    if (!next.delete(id)) next.add(id)
    setCollapsed(next)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      if (active !== null) onSelect(active)
      return
    }
    if (event.key === 'Escape' && selected !== null) {
      onSelect(null)
      return
    }
    const move = MOVES[event.key]
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const to = moveSelection(rows, collapsed, active, move)
    if (to.toggle !== null) toggle(to.toggle)
    if (to.index === null) return
    const id = rows[to.index]?.span.id ?? null
    setActive(id)
    if (selected !== null) onSelect(id)
    virtual.scrollToIndex(to.index, { align: 'auto' })
  }
  const events: RowEvents = { toggle, select: (id) => (setActive(id), onSelect(id)) }
  const items = virtual.getVirtualItems()
  const seen = { from: (virtual.scrollOffset ?? 0) / Math.max(1, rows.length * ROW), to: ((virtual.scrollOffset ?? 0) + (virtual.scrollRect?.height ?? 0)) / Math.max(1, rows.length * ROW) }
  const parents = useMemo(() => nodes.filter((node) => node.descendants > 0 && node.depth > 0).map((node) => node.span.id), [nodes])
  return (
    <div className="waterfall">
      <Minimap nodes={rows} extent={extent} window={window} colours={colours} rows={{ from: seen.from, to: Math.min(1, seen.to) }} onWindow={(next) => setZoomed(next === extent ? null : next)} />
      <div className="wf-ruler">
        <div>
          <span>
            {rows.length === nodes.length ? nodes.length : `${rows.length} of ${nodes.length}`} {nodes.length === 1 ? 'span' : 'spans'}
          </span>
          <span className="wf-tools">
            {zoomed !== null && (
              <button type="button" onClick={() => setZoomed(null)}>
                whole time
              </button>
            )}
            {parents.length > 0 && (
              <button type="button" onClick={() => setCollapsed(collapsed.size > 0 ? new Set() : new Set(parents))}>
                {collapsed.size > 0 ? 'expand all' : 'collapse all'}
              </button>
            )}
          </span>
        </div>
        <div className="wf-marks" aria-hidden="true">
          {rulerMarks(window, 6).map((mark) => (
            <span key={mark} style={{ left: `${((mark - window.start) / (window.end - window.start)) * 100}%` }}>
              {quantityText(mark - extent.start, 'microseconds')}
            </span>
          ))}
        </div>
      </div>
      <div
        className="wf-rows"
        ref={scroller}
        role="tree"
        tabIndex={0}
        aria-label="Spans of the trace"
        aria-activedescendant={active !== null && items.some((item) => rows[item.index]?.span.id === active) ? `span-${active}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div className="wf-sizer" role="none" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const node = rows[item.index]
            if (node === undefined) return null
            const { span } = node
            return (
              <WaterfallRow
                key={item.key}
                node={node}
                top={item.start}
                window={window}
                colour={colours.get(span.service) ?? '--text-dim'}
                open={!collapsed.has(span.id)}
                active={active === span.id}
                selected={selected === span.id}
                dim={found !== null && !found.has(span.id)}
                marks={props.eventsOf(node.span)}
                events={events}
              />
            )
          })}
        </div>
      </div>
    </div>
  )
}
