// Work that comes from queues and clocks: BullMQ and node-cron.
import { dirname, isAbsolute, resolve } from 'node:path'
import { type Context, diag, propagation, ROOT_CONTEXT, SpanStatusCode } from '@opentelemetry/api'
import { activeContext, NO_CONTEXT, runIn, withSpan } from '../context.ts'
import { registerInventory } from '../inventory.ts'
import type { Span } from '../span.ts'
import { endWith, failSpan } from '../span-work.ts'
import type { AgentTracer } from '../tracer.ts'
import { fileCalling } from './caller.ts'
import { onModule } from './load.ts'
import { get, getText, isMethod, type Method, wrap } from './wrap.ts'

// OTLP's numbers of kinds.
const INTERNAL = 1
const PRODUCER = 4
const CONSUMER = 5

let tracer: AgentTracer | undefined

/** Records jobs by this tracer from now on. @returns what ends it */
export function recordJobs(by: AgentTracer): () => void {
  tracer = by
  return () => {
    tracer = undefined
  }
}

/** The context that a job carries, where BullMQ itself keeps it. */
function carried(metadata: unknown): Context {
  if (typeof metadata !== 'string') return NO_CONTEXT
  try {
    return propagation.extract(ROOT_CONTEXT, JSON.parse(metadata))
  } catch {
    // Another program wrote something else there.
    return NO_CONTEXT
  }
}

// BullMQ's own numbers of kinds.
const ADDS = 3
const PROCESSES = 4
/** What a worker does first when it begins to run, before there is any job. */
const STARTS: ReadonlySet<unknown> = new Set(['startStalledCheckTimer', 'getNextJob'])

/** All that BullMQ does goes through here, with or without telemetry of its own; where it has one, that stays. */
function patchBullmq(exports: unknown): void {
  wrap(get(get(exports, 'QueueBase'), 'prototype'), 'trace', (trace) =>
    function patchedTrace(this: unknown, ...args) {
      const [kind, operation, , callback, metadata] = args
      const by = tracer
      if (by !== undefined && STARTS.has(operation)) registerInventory({ kind: 'job', name: `process ${getText(this, 'name') ?? ''}` })
      if (by === undefined || !isMethod(callback) || (kind !== ADDS && kind !== PROCESSES) || get(get(this, 'opts'), 'telemetry') !== undefined) return Reflect.apply(trace, this, args)
      return traced(by, { queue: getText(this, 'name') ?? '', operation: String(operation), isAdded: kind === ADDS }, callback, metadata)
    },
  )
}

function traced(by: AgentTracer, { queue, operation, isAdded }: { queue: string; operation: string; isAdded: boolean }, callback: Method, metadata: unknown): unknown {
  const above = isAdded ? activeContext() : carried(metadata)
  const name = `${operation} ${queue}`
  const span = by.begin(name, isAdded ? PRODUCER : CONSUMER, above)
  span.setAttributes({ 'messaging.system': 'bullmq', 'messaging.destination.name': queue, 'messaging.operation.name': operation, 'messaging.operation.type': isAdded ? 'send' : 'process' })
  const context = withSpan(above, span)
  const carrier: Record<string, string> = {}
  if (isAdded) propagation.inject(context, carrier)
  return endWith(span, () => runIn(context, () => Reflect.apply(callback, undefined, [named(span), isAdded ? JSON.stringify(carrier) : undefined])))
}

/** The span as BullMQ writes to it: what it tells of a job, by the conventions' names. */
function named(span: Span): object {
  return {
    setAttribute: (key: string, value: unknown) => tell(span, key, value),
    setAttributes: (attributes: object) => {
      for (const [key, value] of Object.entries(attributes)) tell(span, key, value)
    },
    addEvent: (name: string, attributes: unknown) => {
      if (name !== 'job failed') return
      // BullMQ tells only the text of the error that a processor threw.
      span.setAttribute('error.type', '_OTHER')
      span.setStatus({ code: SpanStatusCode.ERROR, message: getText(attributes, 'bullmq.job.failed.reason') ?? '' })
    },
    recordException: (error: unknown) => failSpan(span, error),
    setSpanOnContext: (context: unknown) => context,
    end: () => undefined,
  }
}

function tell(span: Span, key: string, value: unknown): void {
  if (key === 'bullmq.job.id' && typeof value === 'string') span.setAttribute('messaging.message.id', value)
  else if (key === 'bullmq.job.name' && typeof value === 'string') span.setAttribute(key, value)
}

/** Functions that are work of their own: node-cron hands them on within itself, through what is patched, too. */
const works = new WeakSet<Method>()

/** A function that runs as work of its own, whoever was active when the clock was set. */
function ownWork(name: string, fn: Method): Method {
  if (works.has(fn)) return fn
  const made = function work(this: unknown, ...args: unknown[]): unknown {
    const by = tracer
    if (by === undefined) return Reflect.apply(fn, this, args)
    const span = by.begin(name, INTERNAL, NO_CONTEXT)
    return endWith(span, () => runIn(withSpan(NO_CONTEXT, span), () => Reflect.apply(fn, this, args)))
  }
  works.add(made)
  return made
}

/**
 * Patches what makes a task of an expression, a function or the path of a file, and options.
 *
 * @param isRelative - whether a path may be relative
 */
function patchMaker(owner: unknown, method: 'schedule' | 'createTask', isRelative: boolean): void {
  wrap(owner, method, (make) =>
    function patchedMake(this: unknown, ...args) {
      try {
        const [expression, task, options] = args
        const name = `cron ${getText(options, 'name') ?? String(expression)}`
        if (isMethod(task)) {
          registerInventory({ kind: 'job', name })
          args[1] = ownWork(name, task)
        } else if (isRelative && typeof task === 'string' && !isAbsolute(task) && !task.startsWith('file:')) {
          // To the file of who calls, which node-cron looks for in the stack: there it would find this one.
          const file = fileCalling(patchedMake)
          if (file !== undefined) args[1] = resolve(dirname(file), task)
        }
      } catch (error) {
        diag.error('andon: a job of node-cron will not be recorded', error)
      }
      return Reflect.apply(make, this, args)
    },
  )
}

function patchMakers(owner: unknown): void {
  const isSince4 = get(owner, 'createTask') !== undefined
  patchMaker(owner, 'schedule', isSince4)
  if (isSince4) patchMaker(owner, 'createTask', isSince4)
}

/** The object that is the default export holds the functions too. */
function patchCron(exports: unknown): void {
  patchMakers(exports)
  const whole = get(exports, 'nodeCron') ?? get(exports, 'default')
  if (whole !== undefined && whole !== exports) patchMakers(whole)
}

/** Patches every copy that is loaded from now on. */
export function instrumentJobs(): void {
  onModule('bullmq', { versions: '>=5.20 <7', file: 'dist/cjs/classes/queue-base.js' }, patchBullmq)
  onModule('bullmq', { versions: '>=5.20 <7', file: 'dist/esm/classes/queue-base.js', names: ['QueueBase'] }, patchBullmq)
  onModule('node-cron', { versions: '>=3 <4', file: 'src/node-cron.js' }, patchCron)
  onModule('node-cron', { versions: '>=4 <5', file: 'dist/node-cron.cjs' }, patchCron)
  onModule('node-cron', { versions: '>=4 <5', file: 'dist/node-cron.js', names: ['schedule', 'createTask', 'nodeCron'] }, patchCron)
}
