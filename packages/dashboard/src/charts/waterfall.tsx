import { type JSX, useMemo, useState } from 'react'
import { quantityText } from '../ui/format.ts'
import { Minimap } from './minimap.tsx'
import { rulerMarks, type TraceExtent, traceExtent, type TreeNode, type TreeSpan, visibleRows } from './trace-tree.ts'
import { Rows, type WaterfallProps } from './waterfall-rows.tsx'
import './charts.css'

/**
 * A trace as a tree over time: virtualised rows under a minimap. One tab stop; the arrow keys move, open and close, Enter selects,
 * Escape lets go. Fetches nothing.
 */
export function Waterfall<S extends TreeSpan>(props: WaterfallProps<S>): JSX.Element {
  const { nodes, colours } = props
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set())
  const [zoomed, setZoomed] = useState<TraceExtent | null>(null)
  const [seen, setSeen] = useState({ from: 0, to: 1 })
  const extent = useMemo(() => traceExtent(nodes.map((node) => node.span)), [nodes])
  const rows = useMemo(() => visibleRows(nodes, collapsed), [nodes, collapsed])
  const window = zoomed ?? extent
  return (
    <div className="waterfall">
      <Minimap nodes={rows} extent={extent} window={window} colours={colours} rows={seen} onWindow={(next) => setZoomed(next === extent ? null : next)} />
      <Ruler
        nodes={nodes}
        shown={rows.length}
        extent={extent}
        window={window}
        zoomed={zoomed !== null}
        collapsed={collapsed.size > 0}
        onWhole={() => setZoomed(null)}
        onCollapse={(ids) => setCollapsed(new Set(ids))}
      />
      <Rows {...props} rows={rows} window={window} collapsed={collapsed} onCollapsed={setCollapsed} onSeen={setSeen} />
    </div>
  )
}

interface RulerProps {
  readonly nodes: readonly TreeNode[]
  readonly shown: number
  readonly extent: TraceExtent
  readonly window: TraceExtent
  readonly zoomed: boolean
  readonly collapsed: boolean
  readonly onWhole: () => void
  readonly onCollapse: (ids: readonly string[]) => void
}

function Ruler({ nodes, shown, extent, window, zoomed, collapsed, onWhole, onCollapse }: RulerProps): JSX.Element {
  const parents = useMemo(() => nodes.filter((node) => node.descendants > 0 && node.depth > 0).map((node) => node.span.id), [nodes])
  const total = nodes.length.toLocaleString('en-US')
  return (
    <div className="wf-ruler">
      <div>
        <span>
          {shown === nodes.length ? total : `${shown.toLocaleString('en-US')} of ${total}`} {nodes.length === 1 ? 'span' : 'spans'}
        </span>
        <span className="wf-tools">
          {zoomed && (
            <button type="button" onClick={onWhole}>
              whole time
            </button>
          )}
          {parents.length > 0 && (
            <button type="button" onClick={() => onCollapse(collapsed ? [] : parents)}>
              {collapsed ? 'expand all' : 'collapse all'}
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
  )
}
