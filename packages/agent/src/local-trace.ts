// What the spans of one request in this process share: the trace's id, whether they are kept, and equal ones folded.
import { SpanStatusCode, type SpanContext, type TraceState } from '@opentelemetry/api'
import type { SpanSource, TraceIdentity } from '@andon/wire'
import type { Bytes } from '@andon/model'
import { hex32, parse32, random32 } from './ids.ts'
import { sizeOfSpan } from './memory.ts'
import type { Undecided, WaitingTraces } from './waiting-traces.ts'

/** Where the finished spans of one scope go. */
export interface SpanSink {
  write(span: SpanSource): void
  /** Counts a span that was given up. */
  lose(): void
}

/** A span that has ended, as its trace handles it. */
export interface EndedSpan extends SpanSource {
  readonly sink: SpanSink
  readonly statusCode: SpanStatusCode
  /** Equal spans that this one stands for. */
  readonly repeat: number
  append(key: string, value: number): void
  /** Takes an equal span in: durations add up. @returns how many spans this one stands for now */
  fold(other: SpanSource): number
}

/** What becomes of the spans: sent as they end, held until the root has ended, or not recorded. */
type Fate = 'keep' | 'wait' | 'drop'

/**
 * Decides what a trace stands for: 0 when it is not kept.
 *
 * @param root - still runs where `isOver` is false
 */
export type TailDecision = (root: EndedSpan, hasFailed: boolean, isOver: boolean) => number

/** How a trace is decided at its end. */
export interface Tail {
  readonly decide: TailDecision
  /** Where its spans are counted meanwhile. */
  readonly among: WaitingTraces
}

/** Spans that one trace may hold while it waits for its decision. */
const MAX_WAITING = 1000
/** Spans of one trace from which on equal ones are folded. */
const FOLD_FROM = 64
/** What a trace itself holds while it waits, measured on Node 20. */
const TRACE_BYTES: Bytes = 400
/** Equal spans that are sent by themselves all the same, as examples. */
const EXAMPLES = 3
const MAX_FOLDED = 1000
const MAX_SHAPES = 64

interface Folded {
  seen: number
  span: EndedSpan | undefined
}

export class LocalTrace implements TraceIdentity, Undecided {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
  readonly state: string
  readonly traceState: TraceState | undefined
  /** W3C's flags as they go on to other processes. */
  flags: number
  /** How many traces this one stands for. */
  weight = 1
  #fate: Fate
  #tail: Tail | undefined
  #root: EndedSpan | undefined
  #waiting: EndedSpan[] | undefined
  #waitingBytes: Bytes = 0
  #hasFailed = false
  #count = 0
  #shapes: Map<string, Folded> | undefined
  #hex = ''

  /** @param above - the span in another process under which this trace goes on */
  constructor(above: SpanContext | undefined, flags: number, fate: Fate) {
    if (above === undefined) {
      this.a = random32()
      this.b = random32()
      this.c = random32()
      // Never all zero.
      this.d = random32() || 1
      this.state = ''
    } else {
      this.#hex = above.traceId
      this.a = parse32(above.traceId, 0)
      this.b = parse32(above.traceId, 8)
      this.c = parse32(above.traceId, 16)
      this.d = parse32(above.traceId, 24)
      this.state = above.traceState?.serialize() ?? ''
    }
    this.traceState = above?.traceState
    this.flags = flags
    this.#fate = fate
  }

  /** Waits for the root's end with the decision. @param flags - what other processes are told meanwhile */
  decideLater(flags: number, tail: Tail): void {
    this.flags = flags
    this.#fate = 'wait'
    this.#tail = tail
  }

  /** 32 lower-case hex digits. */
  get id(): string {
    if (this.#hex === '') this.#hex = `${hex32(this.a)}${hex32(this.b)}${hex32(this.c)}${hex32(this.d)}`
    return this.#hex
  }

  /** Whether spans that start now are recorded. */
  get isRecorded(): boolean {
    return this.#fate !== 'drop'
  }

  /** The span whose end decides. */
  setRoot(root: EndedSpan): void {
    this.#root = root
  }

  /** Takes a span that has ended. */
  finished(span: EndedSpan): void {
    if (this.#fate === 'wait') this.#hold(span)
    else if (this.#fate === 'keep') this.#send(span)
    if (span === this.#root) this.#rootEnded(span)
  }

  #hold(span: EndedSpan): void {
    if (span.statusCode === SpanStatusCode.ERROR) this.#hasFailed = true
    const waiting = (this.#waiting ??= [])
    // The root decides: it does not wait.
    if (span === this.#root) waiting.push(span)
    else if (waiting.length >= MAX_WAITING) span.sink.lose()
    else {
      waiting.push(span)
      this.#grow(sizeOfSpan(span))
    }
  }

  #grow(bytes: Bytes): void {
    const among = this.#tail?.among
    const more = this.#waitingBytes === 0 ? TRACE_BYTES + bytes : bytes
    if (this.#waitingBytes === 0) among?.add(this)
    this.#waitingBytes += more
    // May decide this very trace.
    among?.hold(more)
  }

  decideNow(): number {
    const held = this.#waiting?.length ?? 0
    if (this.#root !== undefined) this.#settle(this.#root, false)
    return this.isRecorded ? 0 : held
  }

  #settle(root: EndedSpan, isOver: boolean): void {
    const tail = this.#tail
    const waiting = this.#waiting ?? []
    this.weight = tail?.decide(root, this.#hasFailed, isOver) ?? 1
    this.#fate = this.weight > 0 ? 'keep' : 'drop'
    this.#tail = undefined
    this.#waiting = undefined
    if (this.#waitingBytes > 0) tail?.among.remove(this, this.#waitingBytes)
    if (this.#fate === 'keep') for (const span of waiting) this.#send(span)
  }

  #rootEnded(root: EndedSpan): void {
    this.#root = undefined
    if (this.#fate === 'wait') this.#settle(root, true)
    const shapes = this.#shapes
    if (shapes === undefined) return
    this.#shapes = undefined
    for (const { span } of shapes.values()) if (span !== undefined) this.#write(span)
  }

  #send(span: EndedSpan): void {
    this.#count += 1
    // Failed spans and those with a story of their own are never folded; after the root nobody would end the folding.
    if (this.#count <= FOLD_FROM || this.#root === undefined || span === this.#root || span.statusCode === SpanStatusCode.ERROR || span.events !== undefined) this.#write(span)
    else this.#fold(span)
  }

  #fold(span: EndedSpan): void {
    const shapes = (this.#shapes ??= new Map<string, Folded>())
    const shape = `${span.parentHigh} ${span.parentLow} ${span.kind} ${span.name}`
    let folded = shapes.get(shape)
    if (folded === undefined) {
      if (shapes.size >= MAX_SHAPES) {
        this.#write(span)
        return
      }
      shapes.set(shape, (folded = { seen: 0, span: undefined }))
    }
    folded.seen += 1
    if (folded.seen <= EXAMPLES) this.#write(span)
    else if (folded.span === undefined) folded.span = span
    else if (folded.span.fold(span) >= MAX_FOLDED) {
      this.#write(folded.span)
      folded.span = undefined
    }
  }

  #write(span: EndedSpan): void {
    if (this.weight !== 1) span.append('andon.weight', this.weight)
    if (span.repeat > 1) span.append('andon.repeat', span.repeat)
    span.sink.write(span)
  }
}
