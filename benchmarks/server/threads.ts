// Which threads of a server its CPU goes to: whose work it is, without a profiler.
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of CPU by whose work it is. */
export type ThreadCpu = ReadonlyMap<string, number>

const MAIN = 'JavaScript: HTTP, rows, answers'
const NODE = 'Node: collecting garbage, compiling'
const DATABASE = 'the database: inserts and queries'
/** By the names that threads give themselves. */
const NAMES: readonly (readonly [pattern: RegExp, part: string])[] = [
  [/^(?:node|V8Worker|DelayedTaskSche|libuv)/, NODE],
  [/^MergeMutate/, 'the database: merging'],
  [/^(?:Bg|PoolDelayExec|MemoryWorker|Async|Config|Signal|Move|Fetch|Common)/, 'the database: its background'],
]
const TICK_MS = 10

/** What all threads of a process have used so far; {} where the system does not say. Threads that ended are missing. */
export function threadCpu(pid: number): ThreadCpu {
  const found = new Map<string, number>()
  let tasks: string[] = []
  try {
    tasks = readdirSync(`/proc/${pid}/task`)
  } catch {
    return found
  }
  for (const task of tasks) {
    let stat: string
    try {
      stat = readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')
    } catch {
      continue
    }
    const end = stat.lastIndexOf(')')
    const name = stat.slice(stat.indexOf('(') + 1, end)
    const fields = stat.slice(end + 2).split(' ')
    const part = task === String(pid) ? MAIN : (NAMES.find(([pattern]) => pattern.test(name))?.[1] ?? DATABASE)
    found.set(part, (found.get(part) ?? 0) + (Number(fields[11]) + Number(fields[12])) * TICK_MS)
  }
  return found
}

/** A sentence of what each took between two looks, the most first. @param per - what it is counted for, such as 1,000 spans, and how many of these there were */
export function threadText(before: ThreadCpu, after: ThreadCpu, per: { readonly what: string; readonly count: number }): string {
  const parts = [...after].map(([part, ms]) => [part, Math.max(0, ms - (before.get(part) ?? 0))] as const).toSorted(([, a], [, b]) => b - a)
  const all = parts.reduce((sum, [, ms]) => sum + ms, 0)
  if (all === 0) return ''
  return `Where the CPU goes (${per.what}): ${parts.map(([part, ms]) => `${part} ${(ms / per.count).toPrecision(2)} ms (${((ms / all) * 100).toFixed(0)} %)`).join(', ')}.`
}
