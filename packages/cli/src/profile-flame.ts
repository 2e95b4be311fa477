// A flame graph as lines of text: who calls whom, and how much of the whole lies below.
import { type FlameNode, type FlameUnit, place, SCALES } from './profile-table.ts'
import { printable } from './profile-target.ts'
import { table } from './table.ts'

/** Calls that are shown: the heaviest, with whoever calls them. */
const CALLS_MAX = 40
/** Of the whole; lighter calls are left out. */
const SHARE_MIN = 0.02
/** What goes on to one callee with at least this share is one line with it. */
const STRAIGHT = 0.98
const BAR_WIDTH = 20
const LABEL_MAX = 90

/** Calls of which each does next to nothing but to call the next one. */
interface Line {
  readonly depth: number
  readonly first: FlameNode
  readonly last: FlameNode
  readonly names: readonly string[]
}

/** Whoever calls a heavy one is as heavy itself, so that what is chosen hangs together. */
function heaviest(root: FlameNode): ReadonlySet<FlameNode> {
  const calls: FlameNode[] = []
  const visit = (node: FlameNode): void => {
    for (const child of node.children) {
      if (child.total < root.total * SHARE_MIN) continue
      calls.push(child)
      visit(child)
    }
  }
  visit(root)
  return new Set(calls.toSorted((a, b) => b.total - a.total).slice(0, CALLS_MAX))
}

function linesOf(root: FlameNode, chosen: ReadonlySet<FlameNode>): Line[] {
  const lines: Line[] = []
  const visit = (node: FlameNode, depth: number): void => {
    for (const first of node.children.filter((child) => chosen.has(child)).toSorted((a, b) => b.total - a.total)) {
      const names = [first.name]
      let last = first
      for (let next = onlyCallee(last, chosen); next !== undefined; next = onlyCallee(last, chosen)) {
        names.push(next.name)
        last = next
      }
      lines.push({ depth, first, last, names })
      visit(last, depth + 1)
    }
  }
  visit(root, 0)
  return lines
}

function onlyCallee({ children, total }: FlameNode, chosen: ReadonlySet<FlameNode>): FlameNode | undefined {
  return children.find((child) => child.total >= total * STRAIGHT && chosen.has(child))
}

/** Of a long run the ends say most. */
function labelOf({ depth, names }: Line): string {
  const [first = '', ...others] = names
  const last = others.at(-1)
  const whole = names.join(' › ')
  const text = whole.length <= LABEL_MAX || last === undefined ? whole : `${first} › … ${others.length - 1} … › ${last}`
  return `${'  '.repeat(depth)}${printable(text.slice(0, 2 * LABEL_MAX))}`
}

/**
 * The calls of a profile that hold at least 2 % of it, each below its caller; at most 40.
 *
 * @param root - of the tree; its total is the whole
 * @param folder - from which paths are shown
 * @returns '' for a profile without calls
 */
export function renderFlame(root: FlameNode, unit: FlameUnit, folder: string): string {
  const { divisor, unit: name } = SCALES[unit]
  const lines = linesOf(root, heaviest(root))
  if (lines.length === 0) return ''
  const rows = lines.map((line) => {
    const share = line.first.total / root.total
    return [(line.first.total / divisor).toFixed(1), (100 * share).toFixed(1), '█'.repeat(Math.max(1, Math.round(share * BAR_WIDTH))), labelOf(line), place(line.last, folder)]
  })
  return table([`total ${name}`, 'total %', 'of the whole'.padEnd(BAR_WIDTH), 'call', 'file:line'], rows)
}
