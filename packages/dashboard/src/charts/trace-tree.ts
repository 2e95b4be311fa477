// A trace as rows of a waterfall: pure, and linear in the number of spans.

/** What the waterfall needs to know of a span; times in microseconds from the start of the trace. */
export interface TreeSpan {
  readonly id: string
  readonly parent: string | null
  readonly service: string
  readonly name: string
  readonly startOffsetUs: number
  readonly durationUs: number
  readonly status: string
}

/** One span in its place. */
export interface TreeNode<S extends TreeSpan = TreeSpan> {
  readonly span: S
  /** Steps from the root; 0 for roots. */
  readonly depth: number
  /** How many spans lie below, all levels. */
  readonly descendants: number
  /** How many of those below failed. */
  readonly failedBelow: number
  /** True when the span names a parent that is not in the trace. */
  readonly orphan: boolean
  /** Position among the siblings, from 1, and how many there are. */
  readonly position: number
  readonly siblings: number
}

interface Frame {
  readonly index: number
  readonly depth: number
  readonly position: number
  readonly siblings: number
}

/** Microseconds; what lies outside [0, length) of the trace is possible where clocks differ. */
export interface TraceExtent {
  readonly start: number
  readonly end: number
}

const byStart =
  (spans: readonly TreeSpan[]) =>
  (a: number, b: number): number =>
    (spans[a]?.startOffsetUs ?? 0) - (spans[b]?.startOffsetUs ?? 0) || (spans[b]?.durationUs ?? 0) - (spans[a]?.durationUs ?? 0)

/** Children of each span and the roots, by index, each list by start time. A span whose parent is missing is a root; so is one of each cycle. */
function link(spans: readonly TreeSpan[]): { children: Map<number, number[]>; roots: number[]; orphans: Set<number> } {
  const indexOf = new Map<string, number>()
  for (const [index, span] of spans.entries()) if (!indexOf.has(span.id)) indexOf.set(span.id, index)
  const children = new Map<number, number[]>()
  const roots: number[] = []
  const orphans = new Set<number>()
  for (const [index, span] of spans.entries()) {
    const parent = span.parent === null || span.parent === '' ? undefined : indexOf.get(span.parent)
    if (parent === undefined || parent === index) {
      roots.push(index)
      if (span.parent !== null && span.parent !== '') orphans.add(index)
      continue
    }
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [index])
    else list.push(index)
  }
  const order = byStart(spans)
  for (const list of children.values()) list.sort(order)
  return { children, roots: roots.toSorted(order), orphans }
}

/**
 * The spans of a trace in the order of a waterfall: parents before their children, siblings by start.
 *
 * Every span appears exactly once, also when parents are missing or name each other in a circle. Iterative: depth is bounded by
 * memory and not by the call stack.
 *
 * @param spans - in any order; not modified
 */
export function buildTree<S extends TreeSpan>(spans: readonly S[]): TreeNode<S>[] {
  const { children, roots, orphans } = link(spans)
  const order: Frame[] = []
  const seen = new Uint8Array(spans.length)
  const walk = (starts: readonly number[]): void => {
    const stack: Frame[] = starts.map((index, at) => ({ index, depth: 0, position: at + 1, siblings: starts.length })).toReversed()
    for (let frame = stack.pop(); frame !== undefined; frame = stack.pop()) {
      if (seen[frame.index] === 1) continue
      seen[frame.index] = 1
      order.push(frame)
      const below = children.get(frame.index) ?? []
      for (let at = below.length - 1; at >= 0; at -= 1) {
        stack.push({ index: below[at] ?? 0, depth: frame.depth + 1, position: at + 1, siblings: below.length })
      }
    }
  }
  walk(roots)
  // What no root reaches names its parents in a circle; the first of each circle is shown as an orphan.
  for (let index = 0; index < spans.length; index += 1) {
    if (seen[index] === 1) continue
    orphans.add(index)
    walk([index])
  }
  return countBelow(spans, order, orphans)
}

/** Fills in the numbers that are known only after the whole order: from the last row up, each adds itself to the row above its level. */
function countBelow<S extends TreeSpan>(spans: readonly S[], order: readonly Frame[], orphans: ReadonlySet<number>): TreeNode<S>[] {
  const descendants = new Uint32Array(order.length)
  const failed = new Uint32Array(order.length)
  const parents: number[] = []
  const parentOf = new Int32Array(order.length).fill(-1)
  for (const [row, frame] of order.entries()) {
    parents[frame.depth] = row
    if (frame.depth > 0) parentOf[row] = parents[frame.depth - 1] ?? -1
  }
  for (let row = order.length - 1; row >= 0; row -= 1) {
    const parent = parentOf[row] ?? -1
    if (parent < 0) continue
    const own = spans[order[row]?.index ?? 0]?.status === 'error' ? 1 : 0
    descendants[parent] = (descendants[parent] ?? 0) + (descendants[row] ?? 0) + 1
    failed[parent] = (failed[parent] ?? 0) + (failed[row] ?? 0) + own
  }
  return order.flatMap((frame, row) => {
    const span = spans[frame.index]
    if (span === undefined) return []
    return {
      span,
      depth: frame.depth,
      descendants: descendants[row] ?? 0,
      failedBelow: failed[row] ?? 0,
      orphan: orphans.has(frame.index),
      position: frame.position,
      siblings: frame.siblings,
    }
  })
}

/**
 * The rows that are seen: those below a collapsed span are left out.
 *
 * @param nodes - from buildTree
 * @param collapsed - ids of collapsed spans
 */
export function visibleRows<S extends TreeSpan>(nodes: readonly TreeNode<S>[], collapsed: ReadonlySet<string>): TreeNode<S>[] {
  if (collapsed.size === 0) return [...nodes]
  const rows: TreeNode<S>[] = []
  for (let row = 0; row < nodes.length; row += 1) {
    const node = nodes[row]
    if (node === undefined) break
    rows.push(node)
    if (collapsed.has(node.span.id)) row += node.descendants
  }
  return rows
}

/** From the first start to the last end, microseconds; never empty. */
export function traceExtent(spans: readonly TreeSpan[]): TraceExtent {
  let start = Infinity
  let end = -Infinity
  for (const span of spans) {
    start = Math.min(start, span.startOffsetUs)
    end = Math.max(end, span.startOffsetUs + span.durationUs)
  }
  if (start > end) return { start: 0, end: 1 }
  return { start, end: Math.max(end, start + 1) }
}

/** A bar's place within a window, as shares of its width; null when it lies outside. */
export function barPlace(span: TreeSpan, window: TraceExtent): { readonly left: number; readonly width: number } | null {
  const length = window.end - window.start
  const from = (span.startOffsetUs - window.start) / length
  const to = (span.startOffsetUs + span.durationUs - window.start) / length
  if (to < 0 || from > 1) return null
  const left = Math.max(0, from)
  return { left, width: Math.min(1, to) - left }
}

/**
 * Times for the marks of a ruler: round numbers (1, 2 or 5 times a power of ten) within a window.
 *
 * @param most - the largest number of marks wanted, at least 2
 */
export function rulerMarks(window: TraceExtent, most: number): number[] {
  const rough = (window.end - window.start) / most
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? 10 * power
  const marks: number[] = []
  for (let mark = Math.ceil(window.start / step) * step; mark <= window.end; mark += step) marks.push(mark)
  return marks
}
