// Profiles merged: flame graphs and pprof of a service over a range.
import type { ProfileFrame, ProfileRecord, ProfileType, TimeRange } from '@andon/model'
import type { MergedStack, ProfileQuery, ProfileSet } from '../store/profiles.ts'

export type { ProfileQuery, ProfileSet }

/** What profiles are read from. */
export interface ProfileReads {
  merged(query: ProfileQuery, limit: number): Promise<readonly MergedStack[]>
  count(query: ProfileQuery): Promise<number>
  sets(range: TimeRange, service?: string): Promise<readonly ProfileSet[]>
}

/** A function under its caller. */
export interface FlameNode extends ProfileFrame {
  /** While it ran itself. */
  self: number
  /** With all that it called. */
  total: number
  readonly children: FlameNode[]
}

/** A flame graph: what is weighed, in which unit, and the tree. */
export interface Flame {
  readonly type: ProfileType
  readonly unit: 'nanoseconds' | 'bytes' | 'objects'
  /** How many profiles were merged. Of heaps in use the mean is shown, of all else the sum. */
  readonly profiles: number
  readonly root: FlameNode
}

/** Stacks that are merged at most; the lightest are left out. */
const STACKS_MAX = 20_000

const UNITS: Readonly<Record<ProfileType, Flame['unit']>> = { cpu: 'nanoseconds', wall: 'nanoseconds', heap_space: 'bytes', heap_objects: 'objects', alloc_space: 'bytes', alloc_objects: 'objects' }

/** The tree of some stacks, roots first, the heaviest child first. */
export function flameOf(stacks: readonly MergedStack[], scale: number): FlameNode {
  const root: FlameNode = { name: '', file: '', line: 0, self: 0, total: 0, children: [] }
  const known = new Map<FlameNode, Map<string, FlameNode>>()
  for (const { stack, value } of stacks) {
    let node = root
    node.total += value * scale
    for (const frame of stack.toReversed()) {
      let children = known.get(node)
      if (children === undefined) known.set(node, (children = new Map()))
      const key = `${frame.line}\n${frame.file}\n${frame.name}`
      let child = children.get(key)
      if (child === undefined) {
        child = { ...frame, self: 0, total: 0, children: [] }
        children.set(key, child)
        node.children.push(child)
      }
      child.total += value * scale
      node = child
    }
    node.self += value * scale
  }
  for (const node of [root, ...[...known.values()].flatMap((children) => [...children.values()])]) node.children.sort((a, b) => b.total - a.total)
  return root
}

/** What the routes of profiles read. Holds nothing; may be called concurrently. */
export class ProfileReader {
  readonly #source: ProfileReads

  constructor(source: ProfileReads) {
    this.#source = source
  }

  /** What was sent by whom. */
  sets(range: TimeRange, service?: string): Promise<readonly ProfileSet[]> {
    return this.#source.sets(range, service)
  }

  /** All samples of a query as one tree. */
  async flame(query: ProfileQuery): Promise<Flame> {
    const { stacks, profiles, scale } = await this.#merged(query)
    return { type: query.type, unit: UNITS[query.type], profiles, root: flameOf(stacks, scale) }
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

  async #merged(query: ProfileQuery): Promise<{ stacks: readonly MergedStack[]; profiles: number; scale: number }> {
    const [stacks, profiles] = await Promise.all([this.#source.merged(query, STACKS_MAX), this.#source.count(query)])
    return { stacks, profiles, scale: query.type.startsWith('heap_') ? 1 / Math.max(1, profiles) : 1 }
  }
}
