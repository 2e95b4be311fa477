import type { ProfileFrame, ProfileRecord } from '@andon/model'

/** A node of Chrome's .cpuprofile. */
export interface CpuProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly scriptId: string; readonly url: string; readonly lineNumber: number; readonly columnNumber: number }
  hitCount: number
  readonly children: number[]
}

/** Chrome's .cpuprofile. @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[]
  /** Microseconds. */
  readonly startTime: number
  readonly endTime: number
  /** The id of a node for each sample. */
  readonly samples: readonly number[]
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[]
}

class Tree {
  readonly nodes: CpuProfileNode[] = []
  readonly #children = new Map<string, CpuProfileNode>()

  constructor() {
    this.#add('', { name: '(root)', file: '', line: 0 })
  }

  /** The node of a stack, made with all that is above it. */
  of(stack: readonly ProfileFrame[]): CpuProfileNode | undefined {
    let node = this.nodes[0]
    for (const frame of stack.toReversed()) {
      const key = `${node?.id ?? 0}\n${frame.line}\n${frame.file}\n${frame.name}`
      let child = this.#children.get(key)
      if (child === undefined) {
        child = this.#add(key, frame)
        node?.children.push(child.id)
      }
      node = child
    }
    return node
  }

  #add(key: string, { name, file, line }: ProfileFrame): CpuProfileNode {
    // Lines of Chrome count from 0; -1 is not known.
    const callFrame = { functionName: name, scriptId: '0', url: file, lineNumber: line - 1, columnNumber: -1 }
    const node = { id: this.nodes.length + 1, callFrame, hitCount: 0, children: [] }
    this.nodes.push(node)
    this.#children.set(key, node)
    return node
  }
}

/** A profile as Chrome's .cpuprofile, samples in the order of their times. */
export function toCpuProfile({ start, duration, samples }: ProfileRecord): CpuProfile {
  const tree = new Tree()
  const startTime = Number(start / 1000n)
  const ordered = samples.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
  let before = startTime
  const ids: number[] = []
  const timeDeltas: number[] = []
  for (const { stack, time } of ordered) {
    const node = tree.of(stack)
    if (node === undefined) continue
    node.hitCount += 1
    ids.push(node.id)
    const at = time === 0n ? before : Number(time / 1000n)
    timeDeltas.push(Math.max(0, at - before))
    before = Math.max(before, at)
  }
  return { nodes: tree.nodes, startTime, endTime: startTime + Number(duration / 1000n), samples: ids, timeDeltas }
}
