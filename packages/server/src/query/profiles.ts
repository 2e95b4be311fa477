// Profiles merged: flame graphs and pprof of a service over a range.
import type { ProfileFrame, ProfileRecord, ProfileType, TimeRange } from '@andon/model'
import type { MergedProfile, MergedStack, ProfileQuery, ProfileSet, ProfileSetQuery } from '../store/profiles.ts'

export type { ProfileQuery, ProfileSet }

/** What profiles are read from. */
export interface ProfileReads {
  merged(query: ProfileQuery, limit: number): Promise<MergedProfile>
  sets(query: ProfileSetQuery): Promise<readonly ProfileSet[]>
}

/** A function under its caller. */
export interface FlameNode extends ProfileFrame {
  /** While it ran itself. */
  self: number
  /** With all that it called. */
  total: number
  readonly children: FlameNode[]
}

/** What a flame graph shows as `(other)`. */
export interface FlameOther {
  /** The stacks beside the heaviest 20,000. */
  readonly stacks: number
  /** Functions under their callers that the graph has no place for. */
  readonly nodes: number
  /** The sum of both, in the unit of the graph. */
  readonly value: number
}

/** A flame graph: what is weighed, in which unit, and the tree. */
export interface Flame {
  readonly type: ProfileType
  readonly unit: 'nanoseconds' | 'bytes' | 'objects'
  /** How many profiles were merged. Of heaps in use the mean is shown, of all else the sum. */
  readonly profiles: number
  /** The part of the range that was read from 5-minute sums; null where all was read from samples. */
  readonly rollup: TimeRange | null
  /** What a reader has to know of this answer. */
  readonly infos: readonly string[]
  readonly other: FlameOther
  readonly root: FlameNode
}

/** Stacks that are merged one by one; the lighter ones are one. */
const STACKS_MAX = 20_000
/** Functions under their callers in an answer, without those that are named `(other)`. */
export const FLAME_NODES_MAX = 10_000
/** The same while the tree is made. */
const BUILT_NODES_MAX = 200_000
/** The frame of all that is not shown by itself. */
const OTHER: ProfileFrame = { name: '(other)', file: '', line: 0 }

const UNITS: Readonly<Record<ProfileType, Flame['unit']>> = { cpu: 'nanoseconds', wall: 'nanoseconds', heap_space: 'bytes', heap_objects: 'objects', alloc_space: 'bytes', alloc_objects: 'objects' }

const emptyNode = (frame: ProfileFrame): FlameNode => ({ name: frame.name, file: frame.file, line: frame.line, self: 0, total: 0, children: [] })

/** Makes the tree of stacks. */
class Tree {
  readonly root: FlameNode = emptyNode({ name: '', file: '', line: 0 })
  readonly #children = new Map<FlameNode, Map<string, FlameNode>>()
  #count = 0

  add({ stack, value }: MergedStack): void {
    let node = this.root
    node.total += value
    for (const frame of stack.toReversed()) {
      const child = this.#child(node, frame)
      child.total += value
      node = child
      if (child.name === OTHER.name && child.file === '') break
    }
    node.self += value
  }

  #child(node: FlameNode, frame: ProfileFrame): FlameNode {
    let children = this.#children.get(node)
    if (children === undefined) this.#children.set(node, (children = new Map()))
    const known = children.get(keyOf(frame))
    if (known !== undefined) return known
    const made = this.#count < BUILT_NODES_MAX ? frame : OTHER
    let child = children.get(keyOf(made))
    if (child !== undefined) return child
    this.#count += 1
    child = emptyNode(made)
    children.set(keyOf(made), child)
    node.children.push(child)
    return child
  }

  /** All nodes but the root. */
  nodes(): FlameNode[] {
    return [...this.#children.values()].flatMap((children) => [...children.values()])
  }
}

const keyOf = ({ name, file, line }: ProfileFrame): string => `${line}\n${file}\n${name}`

/** The least total that a node may have so that at most `most` remain. */
function leastTotal(nodes: readonly FlameNode[], most: number): number {
  if (nodes.length <= most) return 0
  const totals = Float64Array.from(nodes, ({ total }) => total).toSorted()
  const first = totals[totals.length - most] ?? 0
  // Where equal ones would be too many, none of them stays.
  const isTooMany = totals[totals.length - most - 1] === first
  return isTooMany ? first + Number.EPSILON * Math.max(1, first) : first
}

/** Puts the lightest children of each node into one. @returns how many they were, and their sum */
function prune(root: FlameNode, least: number): { nodes: number; value: number } {
  const put = { nodes: 0, value: 0 }
  const open = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const kept = node.children.filter(({ total }) => total >= least)
    const light = node.children.filter(({ total }) => total < least)
    node.children.length = 0
    node.children.push(...kept)
    open.push(...kept)
    if (light.length === 0) continue
    const value = light.reduce((sum, { total }) => sum + total, 0)
    put.nodes += light.reduce((sum, each) => sum + sizeOf(each), 0)
    put.value += value
    const other = kept.find(({ name, file }) => name === OTHER.name && file === '')
    if (other === undefined) node.children.push({ ...emptyNode(OTHER), self: value, total: value })
    else Object.assign(other, { self: other.self + value, total: other.total + value })
  }
  return put
}

function sizeOf(node: FlameNode): number {
  let count = 0
  const open = [node]
  for (let each = open.pop(); each !== undefined; each = open.pop()) {
    count += 1
    open.push(...each.children)
  }
  return count
}

/**
 * The tree of some stacks, roots first, the heaviest child first. What is too light for a place among `most` nodes stands under its caller as
 * one node `(other)`, so that no weight is lost.
 *
 * @param scale - what every value is multiplied by
 */
export function flameOf(stacks: readonly MergedStack[], scale: number, most: number = FLAME_NODES_MAX): { root: FlameNode; other: { nodes: number; value: number } } {
  const tree = new Tree()
  for (const { stack, value } of stacks) tree.add({ stack, value: value * scale })
  const other = prune(tree.root, leastTotal(tree.nodes(), most))
  const open = [tree.root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    node.children.sort((a, b) => b.total - a.total)
    open.push(...node.children)
  }
  return { root: tree.root, other }
}

const EXPIRED = 'A part of this range has expired: samples that know their instance, trace and span are kept for a shorter time than the 5-minute sums.'
const WHOLE_BUCKETS = 'Read from 5-minute sums at an edge: the whole buckets are counted.'

function infosOf({ isExpired, rollup }: MergedProfile, { start, end }: TimeRange): string[] {
  const isWider = rollup !== null && (rollup.start < start || rollup.end > end)
  return [...(isExpired ? [EXPIRED] : []), ...(isWider ? [WHOLE_BUCKETS] : [])]
}

/** What the routes of profiles read. Holds nothing; may be called concurrently. */
export class ProfileReader {
  readonly #source: ProfileReads

  constructor(source: ProfileReads) {
    this.#source = source
  }

  /** What was sent by whom. */
  sets(query: ProfileSetQuery): Promise<readonly ProfileSet[]> {
    return this.#source.sets(query)
  }

  /** All samples of a query as one tree. */
  async flame(query: ProfileQuery): Promise<Flame> {
    const { merged, stacks, scale } = await this.#merged(query)
    const { root, other } = flameOf(stacks, scale)
    return {
      type: query.type,
      unit: UNITS[query.type],
      profiles: merged.profiles,
      rollup: merged.rollup,
      infos: infosOf(merged, query.range),
      other: { stacks: merged.other.stacks, nodes: other.nodes, value: merged.other.value * scale + other.value },
      root,
    }
  }

  /** All samples of a query as one profile. */
  async profile(query: ProfileQuery): Promise<ProfileRecord> {
    const { stacks, scale } = await this.#merged(query)
    const unit = UNITS[query.type] === 'objects' ? 'count' : UNITS[query.type]
    const start = BigInt(Math.floor(query.range.start)) * 1_000_000n
    return {
      valueTypes: [{ type: query.type, unit }],
      start,
      duration: BigInt(Math.ceil(query.range.end)) * 1_000_000n - start,
      period: 0,
      periodType: { type: query.type, unit },
      samples: stacks.map(({ stack, value }) => ({ stack, values: [Math.round(value * scale)], time: 0n, labels: {} })),
    }
  }

  /** The stacks of a query; those that were left out are one of their own. */
  async #merged(query: ProfileQuery): Promise<{ merged: MergedProfile; stacks: readonly MergedStack[]; scale: number }> {
    const merged = await this.#source.merged(query, STACKS_MAX)
    const stacks = merged.other.value > 0 ? [...merged.stacks, { stack: [OTHER], value: merged.other.value }] : merged.stacks
    return { merged, stacks, scale: query.type.startsWith('heap_') ? 1 / Math.max(1, merged.profiles) : 1 }
  }
}
