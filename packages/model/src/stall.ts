import type { Attributes, AttributeValue } from './attributes.ts'
import type { Ratio, Seconds } from './units.ts'

/** The event by which an agent tells that the event loop was blocked for longer than its threshold. */
export const STALL_EVENT = 'andon.eventloop.stall'

/** Whether the process worked meanwhile, or waited for something, such as a synchronous call or a core. */
export const STALL_KINDS = ['cpu', 'waiting'] as const
export type StallKind = (typeof STALL_KINDS)[number]

/** One block of the event loop: nothing else of the process ran while it lasted. */
export interface StallRecord {
  readonly seconds: Seconds
  /** CPU time of the process meanwhile. */
  readonly cpuSeconds: Seconds
  readonly kind: StallKind
  /** The stack that blocked longest: lines of `at function (file:line)`, the running function first; '' when no profile was taken meanwhile. */
  readonly stack: string
  /** The part of the block's samples that hold this stack; 0 without one. */
  readonly share: Ratio
  /** Of the profiler within the block. */
  readonly samples: number
  /** Of the request that blocked; '' when it is not known. */
  readonly route: string
}

/** UTF-16 units of a stack; what is further out is cut off. */
export const STALL_STACK_MAX = 8192

/** The attributes of the event. */
export function stallAttributes({ seconds, cpuSeconds, kind, stack, share, samples, route }: StallRecord): Attributes {
  return {
    'andon.stall.duration': seconds,
    'andon.stall.cpu_time': cpuSeconds,
    'andon.stall.kind': kind,
    ...(stack !== '' && { 'code.stacktrace': stack, 'andon.stall.stack_share': share, 'andon.stall.samples': BigInt(samples) }),
    ...(route !== '' && { 'http.route': route }),
  }
}

/** A number from 0 on; undefined for all else. */
function amount(value: AttributeValue | undefined): number | undefined {
  const number = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN
  return number >= 0 && number < Infinity ? number : undefined
}

const text = (value: AttributeValue | undefined, length: number): string => (typeof value === 'string' ? value.slice(0, length) : '')

/** What such an event says; undefined where it has no length. */
export function readStall(attributes: Attributes): StallRecord | undefined {
  const seconds = amount(attributes['andon.stall.duration'])
  if (seconds === undefined) return undefined
  return {
    seconds,
    cpuSeconds: amount(attributes['andon.stall.cpu_time']) ?? 0,
    kind: STALL_KINDS.find((kind) => kind === attributes['andon.stall.kind']) ?? 'waiting',
    stack: text(attributes['code.stacktrace'], STALL_STACK_MAX),
    share: Math.min(1, amount(attributes['andon.stall.stack_share']) ?? 0),
    samples: Math.min(1e9, Math.floor(amount(attributes['andon.stall.samples']) ?? 0)),
    route: text(attributes['http.route'], 300),
  }
}
