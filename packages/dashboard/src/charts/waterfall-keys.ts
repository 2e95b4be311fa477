import type { TreeNode } from './trace-tree.ts'

/** A move of the keyboard: up or down by rows, into a span (open it, or go to its first child), or out of it. */
export type Move = { readonly kind: 'by'; readonly rows: number } | { readonly kind: 'in' } | { readonly kind: 'out' }

/** What a move does: the row to go to, or the span to open or close; null for nothing. */
export interface Moved {
  readonly index: number | null
  readonly toggle: string | null
}

/**
 * Where a move leads, as the tree pattern of ARIA's authoring practices says.
 *
 * @param rows - the visible rows
 * @param active - id of the row moved from; null, or a row no longer visible, starts at the first
 */
export function moveSelection(rows: readonly TreeNode[], collapsed: ReadonlySet<string>, active: string | null, move: Move): Moved {
  const from = rows.findIndex((row) => row.span.id === active)
  const node = rows[from]
  if (node === undefined) return { index: rows.length === 0 ? null : 0, toggle: null }
  if (move.kind === 'by') return { index: Math.min(rows.length - 1, Math.max(0, from + move.rows)), toggle: null }
  const closed = collapsed.has(node.span.id)
  if (move.kind === 'in') {
    if (node.descendants === 0) return { index: null, toggle: null }
    return closed ? { index: null, toggle: node.span.id } : { index: from + 1, toggle: null }
  }
  if (node.descendants > 0 && !closed) return { index: null, toggle: node.span.id }
  const parent = rows.slice(0, from).findLastIndex((row) => row.depth < node.depth)
  return { index: parent < 0 ? null : parent, toggle: null }
}
