// The functions of a flame graph, the most expensive first.
import { isAbsolute, relative, sep } from 'node:path'
import { printable } from './profile-target.ts'
import { table } from './table.ts'

/** A node of GET /api/profiles/flame. */
export interface FlameNode {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly self: number
  readonly total: number
  readonly children: readonly FlameNode[]
}

/** A function with its share of a profile. */
export interface TopFunction {
  readonly name: string
  readonly file: string
  readonly line: number
  /** Nanoseconds or bytes: while it ran itself, and with all that it called. */
  readonly self: number
  readonly total: number
}

/** The functions of a tree by what they took themselves; one that calls itself counts once. */
export function topFunctions(root: FlameNode): TopFunction[] {
  const found = new Map<string, { readonly name: string; readonly file: string; readonly line: number; self: number; total: number }>()
  const running = new Set<string>()
  const visit = (node: FlameNode): void => {
    const { name, file, line, self, total } = node
    const key = `${line}\n${file}\n${name}`
    const entry = found.get(key) ?? { name, file, line, self: 0, total: 0 }
    found.set(key, entry)
    entry.self += self
    const isOutermost = !running.has(key)
    if (isOutermost) entry.total += total
    running.add(key)
    for (const child of node.children) visit(child)
    if (isOutermost) running.delete(key)
  }
  for (const child of root.children) visit(child)
  return [...found.values()].toSorted((a, b) => b.self - a.self || b.total - a.total)
}

/** Where a function stands; a path below the working folder is shown from there. */
export function place({ file, line }: Pick<TopFunction, 'file' | 'line'>, folder: string): string {
  if (file === '') return ''
  const shorter = isAbsolute(file) ? relative(folder, file) : file
  return printable(`${shorter.startsWith(`..${sep}`) || isAbsolute(shorter) ? file : shorter}${line === 0 ? '' : `:${line}`}`)
}

export type FlameUnit = 'nanoseconds' | 'bytes'

/** Milliseconds of nanoseconds, mebibytes of bytes. */
export const SCALES: Readonly<Record<FlameUnit, { readonly divisor: number; readonly unit: string }>> = { nanoseconds: { divisor: 1e6, unit: 'ms' }, bytes: { divisor: 1024 * 1024, unit: 'MiB' } }

/** An amount of a profile with its unit. */
export function amountText(value: number, unit: FlameUnit): string {
  const { divisor, unit: name } = SCALES[unit]
  return `${(value / divisor).toFixed(1)} ${name}`
}

/** The table for people. @param whole - of the profile, in its unit */
export function renderTop(functions: readonly TopFunction[], whole: number, unit: FlameUnit, folder: string): string {
  const { divisor, unit: name } = SCALES[unit]
  const share = (value: number): string => (whole > 0 ? ((100 * value) / whole).toFixed(1) : '0.0')
  const rows = functions.map((each) => [(each.self / divisor).toFixed(1), share(each.self), (each.total / divisor).toFixed(1), share(each.total), printable(each.name), place(each, folder)])
  return table([`self ${name}`, 'self %', `total ${name}`, 'total %', 'function', 'file:line'], rows)
}
