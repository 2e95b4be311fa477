import type { JSX } from 'react'
import { quantityText } from '../ui/format.ts'
import { barPlace, type TraceExtent, type TreeNode } from './trace-tree.ts'

interface RowProps {
  readonly node: TreeNode
  /** CSS pixels. */
  readonly top: number
  readonly window: TraceExtent
  readonly colour: string
  readonly open: boolean
  readonly active: boolean
  readonly selected: boolean
  readonly dim: boolean
  /** Microseconds from the start of the trace. */
  readonly marks: readonly number[]
}

/** One span: its name in the tree on the left, its bar over time on the right. */
export function WaterfallRow(props: RowProps): JSX.Element {
  const { node, colour, open, dim, selected, active } = props
  const { span } = node
  const failed = span.status === 'error'
  const length = quantityText(span.durationUs, 'microseconds')
  const classes = ['wf-row', failed ? 'failed' : '', dim ? 'dim' : '', active ? 'active' : ''].join(' ')
  return (
    <div
      id={`span-${span.id}`}
      className={classes}
      role="treeitem"
      tabIndex={-1}
      data-span={span.id}
      aria-level={node.depth + 1}
      aria-posinset={node.position}
      aria-setsize={node.siblings}
      aria-selected={selected}
      aria-expanded={node.descendants > 0 ? open : undefined}
      style={{ transform: `translateY(${props.top}px)`, '--swatch': `var(${colour})` }}
    >
      <div className="wf-name" style={{ paddingLeft: 6 + Math.min(node.depth, 14) * 14 }}>
        <Toggle {...props} />
        <i className="wf-colour" />
        <span className="wf-text" title={`${span.service} · ${span.name}${node.orphan ? ' (its parent is not in the trace)' : ''}`}>
          <em>{span.service}</em> {span.name}
        </span>
        {node.orphan && <span className="wf-hidden">orphan</span>}
        {!open && <span className="wf-hidden">+{node.descendants.toLocaleString('en-US')}</span>}
        {(failed || (!open && node.failedBelow > 0)) && <span className="wf-badge">{failed ? '! error' : `! ${node.failedBelow} below`}</span>}
      </div>
      <Bar {...props} length={length} />
    </div>
  )
}

/** Opens and closes by a click, which the tree hears; the arrow keys do the same, so it is no stop of its own. */
function Toggle({ node, open }: RowProps): JSX.Element {
  if (node.descendants === 0) return <span className="wf-leaf" />
  return (
    <span className={open ? 'wf-toggle open' : 'wf-toggle'} data-toggle="" aria-hidden="true">
      <svg width="10" height="10" viewBox="0 0 10 10">
        <path d="M3 1l4 4-4 4" fill="none" stroke="currentColor" strokeWidth="1.6" />
      </svg>
    </span>
  )
}

const percent = (share: number): string => `${(share * 100).toFixed(3)}%`

function Bar({ node, window, marks, length }: RowProps & { readonly length: string }): JSX.Element {
  const bar = barPlace(node.span, window)
  if (bar === null) return <div className="wf-track" />
  const end = bar.left + bar.width
  // The duration stands right of the bar where there is room, else left of it, else inside.
  const place = end < 0.86 ? { left: percent(end) } : bar.left > 0.14 ? { right: percent(1 - bar.left) } : { right: 0, className: 'inside' }
  const inside = 'className' in place
  return (
    <div className="wf-track">
      <div className="wf-bar" style={{ left: percent(bar.left), width: percent(bar.width) }} />
      {[...new Set(marks)].map((mark) => {
        const at = (mark - window.start) / (window.end - window.start)
        return at >= 0 && at <= 1 ? <i key={mark} className="wf-event" style={{ left: percent(at) }} /> : null
      })}
      <span className={inside ? 'wf-time inside' : 'wf-time'} style={inside ? { right: 0 } : place}>
        {length}
      </span>
    </div>
  )
}
