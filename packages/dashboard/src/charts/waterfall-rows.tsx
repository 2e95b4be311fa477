import { useVirtualizer } from '@tanstack/react-virtual'
import { type JSX, type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from 'react'
import type { TraceExtent, TreeNode, TreeSpan } from './trace-tree.ts'
import { type Move, moveSelection } from './waterfall-keys.ts'
import { WaterfallRow } from './waterfall-row.tsx'

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

/** CSS pixels; waterfall rows are all of one height. */
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

interface RowsProps<S extends TreeSpan> extends WaterfallProps<S> {
  readonly rows: readonly TreeNode<S>[]
  readonly window: TraceExtent
  readonly collapsed: ReadonlySet<string>
  readonly onCollapsed: (collapsed: ReadonlySet<string>) => void
  /** Which part of the rows is on the screen, shares of all rows. */
  readonly onSeen: (seen: { readonly from: number; readonly to: number }) => void
}

/** The rows on the screen, and the one tab stop around them. */
export function Rows<S extends TreeSpan>(props: RowsProps<S>): JSX.Element {
  const { rows, collapsed, selected, found, colours, window, onSeen } = props
  const [active, setActive] = useState<string | null>(selected)
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 12 })
  const items = virtual.getVirtualItems()
  const offset = virtual.scrollOffset ?? 0
  const height = virtual.scrollRect?.height ?? 0
  useEffect(() => {
    const total = Math.max(1, rows.length * ROW)
    onSeen({ from: offset / total, to: Math.min(1, (offset + height) / total) })
  }, [offset, height, rows.length, onSeen])

  // The selected span may come from the URL: bring it into view once, and not again when rows are opened or closed.
  const shown = useRef<string | null>(null)
  useEffect(() => {
    if (shown.current === selected) return
    shown.current = selected
    const at = rows.findIndex((row) => row.span.id === selected)
    if (at >= 0) virtual.scrollToIndex(at, { align: 'auto' })
  }, [selected, rows, virtual])

  const { onKeyDown, onClick } = treeEvents(props, active, setActive, (index) => virtual.scrollToIndex(index, { align: 'auto' }))
  const visible = active !== null && items.some((item) => rows[item.index]?.span.id === active)
  return (
    <div
      className="wf-rows"
      ref={scroller}
      role="tree"
      tabIndex={0}
      aria-label="Spans of the trace"
      aria-activedescendant={visible ? `span-${active}` : undefined}
      onKeyDown={onKeyDown}
      onFocus={() => setActive((before) => before ?? rows[0]?.span.id ?? null)}
      onClick={onClick}
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
              marks={props.eventsOf(span)}
            />
          )
        })}
      </div>
    </div>
  )
}

interface TreeEvents {
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly onClick: (event: MouseEvent) => void
}

/** Keys and clicks of the tree: they move the active row, open and close, and select. */
function treeEvents<S extends TreeSpan>(
  { rows, collapsed, selected, onSelect, onCollapsed }: RowsProps<S>,
  active: string | null,
  setActive: (id: string | null) => void,
  scrollTo: (index: number) => void,
): TreeEvents {
  const toggle = (id: string): void => {
    const next = new Set(collapsed)
    if (!next.delete(id)) next.add(id)
    onCollapsed(next)
  }
  const moveTo = (move: Move): void => {
    const to = moveSelection(rows, collapsed, active, move)
    if (to.toggle !== null) toggle(to.toggle)
    if (to.index === null) return
    const id = rows[to.index]?.span.id ?? null
    setActive(id)
    if (selected !== null) onSelect(id)
    scrollTo(to.index)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = MOVES[event.key]
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape') onSelect(null)
    else if (move !== undefined) moveTo(move)
    else if ((event.key === 'Enter' || event.key === ' ') && active !== null) onSelect(active)
    else return
    event.preventDefault()
  }
  const onClick = (event: MouseEvent): void => {
    const target = event.target instanceof Element ? event.target : null
    const id = target?.closest<HTMLElement>('[data-span]')?.dataset['span']
    if (id === undefined) return
    setActive(id)
    if (target?.closest('[data-toggle]') === null) onSelect(id)
    else toggle(id)
  }
  return { onKeyDown, onClick }
}
