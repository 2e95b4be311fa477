// What blocked the event loop: stalls joined with the samples that the profiler took meanwhile.
import { type Milliseconds, type Nanoseconds, type ProfileFrame, type ProfileSample, STALL_STACK_MAX, type StallRecord } from '@andon/model'
import type { Stall } from '../metrics/runtime/stall.ts'
import type { CpuPiece, CpuSampler } from './cpu.ts'

/** Stalls that wait for samples; further ones are told without a stack. */
const PENDING_MAX = 50
const FRAMES_MAX = 64

/** A stall as it is told. */
export interface ToldStall extends StallRecord {
  /** When it ended, since the Unix epoch. */
  readonly time: Nanoseconds
  /** Of the request that blocked; '' when it is not known. */
  readonly traceId: string
  readonly spanId: string
}

interface Pending {
  readonly stall: Stall
  readonly start: Nanoseconds
  readonly end: Nanoseconds
  readonly samples: ProfileSample[]
}

export interface StallStacksOptions {
  readonly sampler: Pick<CpuSampler, 'intervalMs' | 'watch'>
  readonly record: (stall: ToldStall) => void
  readonly now: () => Nanoseconds
  /** How long a stall may end before it is found: the period of its detector. */
  readonly periodMs: Milliseconds
}

/**
 * Tells each stall with the stack that blocked. Samples lie in the sampler until it is cut, at most a minute later: a stall waits for that,
 * because a cut of its own would block once more. While no profiler runs a stall is told at once, without a stack.
 */
export class StallStacks {
  readonly #options: StallStacksOptions
  #pending: Pending[] = []
  /** The piece before, until a stall that it belongs to must have been found. */
  #last: CpuPiece | undefined

  constructor(options: StallStacksOptions) {
    this.#options = options
    options.sampler.watch((piece) => this.#take(piece))
  }

  /** Takes a stall that ended now. */
  found(stall: Stall): void {
    const { sampler, now, periodMs } = this.#options
    const end = now()
    const start = end - BigInt(Math.round((stall.lengthMs + periodMs) * 1e6))
    const pending = { stall, start, end, samples: samplesWithin(this.#last, start, end) }
    if (sampler.intervalMs === 0 || this.#pending.length >= PENDING_MAX) this.#tell(pending)
    else this.#pending.push(pending)
  }

  #take(piece: CpuPiece | undefined): void {
    const pending = this.#pending
    this.#pending = []
    for (const each of pending) {
      each.samples.push(...samplesWithin(piece, each.start, each.end))
      this.#tell(each)
    }
    this.#last = piece
    // A cut at the end of a block comes before the block is found.
    if (piece !== undefined) setTimeout(() => this.#forget(piece), 2 * this.#options.periodMs).unref()
  }

  #forget(piece: CpuPiece): void {
    if (this.#last === piece) this.#last = undefined
  }

  #tell({ stall, end, samples }: Pending): void {
    const { stack, share, labels } = heaviest(samples)
    this.#options.record({
      time: end,
      seconds: stall.lengthMs / 1000,
      cpuSeconds: stall.cpuMs / 1000,
      kind: stall.kind,
      stack: stackText(stack),
      share,
      samples: samples.length,
      route: labels['route'] ?? '',
      traceId: labels['trace_id'] ?? '',
      spanId: labels['span_id'] ?? '',
    })
  }
}

function samplesWithin(piece: CpuPiece | undefined, start: Nanoseconds, end: Nanoseconds): ProfileSample[] {
  return piece === undefined ? [] : piece.samples.filter(({ time }) => time >= start && time <= end)
}

function stackText(stack: readonly ProfileFrame[]): string {
  const lines = stack.slice(0, FRAMES_MAX).map(({ name, file, line }) => `at ${name}${file === '' ? '' : ` (${file}:${line})`}`)
  while (lines.length > 1 && lines.reduce((sum, each) => sum + each.length + 1, 0) > STALL_STACK_MAX) lines.pop()
  return lines.join('\n').slice(0, STALL_STACK_MAX)
}

/** Wall time of a sample. */
const weightOf = ({ values }: ProfileSample): number => values[1] ?? 0
const keyOf = ({ name, file, line }: ProfileFrame): string => `${line}\n${file}\n${name}`

/**
 * The stack along which the most time was spent: from the outermost call on always the heaviest callee. Equal leaves of different callers
 * do not mislead it, as they would a ranking of whole stacks.
 *
 * @returns the running function first; its share of all samples; the labels of one of its samples
 */
function heaviest(samples: readonly ProfileSample[]): Pick<ProfileSample, 'stack' | 'labels'> & { readonly share: number } {
  const whole = samples.reduce((sum, sample) => sum + weightOf(sample), 0)
  let chosen = samples
  for (let depth = 1; chosen.length > 0; depth += 1) {
    const groups = new Map<string, { weight: number; readonly samples: ProfileSample[]; readonly isEnd: boolean }>()
    for (const sample of chosen) {
      const frame = sample.stack.at(-depth)
      const key = sample.stack.length < depth || frame === undefined ? '' : keyOf(frame)
      const group = groups.get(key) ?? { weight: 0, samples: [], isEnd: key === '' }
      groups.set(key, group)
      group.weight += weightOf(sample)
      group.samples.push(sample)
    }
    const [best] = [...groups.values()].toSorted((a, b) => b.weight - a.weight)
    if (best === undefined) break
    if (best.isEnd) {
      const [one] = best.samples
      return { stack: one?.stack ?? [], labels: one?.labels ?? {}, share: whole > 0 ? best.weight / whole : 0 }
    }
    chosen = best.samples
  }
  return { stack: [], labels: {}, share: 0 }
}
