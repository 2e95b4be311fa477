import type { Attributes, Resource, Scope } from './attributes.ts'
import type { Nanoseconds } from './units.ts'

/**
 * One recorded error as it is sent, stored and shown.
 *
 * @see OpenTelemetry semantic conventions, exceptions in logs
 */
export interface ExceptionRecord {
  readonly time: Nanoseconds
  /** The class, such as `TypeError`. */
  readonly type: string
  readonly message: string
  /** Node's stack text; '' when there is none. */
  readonly stack: string
  /** False when nothing caught it. */
  readonly handled: boolean
  /** 32 lower-case hex digits; '' outside a trace. */
  readonly traceId: string
  /** 16 lower-case hex digits; '' outside a span. */
  readonly spanId: string
  /** What the caller gave as context, and `http.route` where it is known. */
  readonly attributes: Attributes
  readonly resource: Resource
  readonly scope: Scope
}

/** Frames of Node itself and of dependencies change with versions; those of the application identify an error. */
const FOREIGN = /node_modules|\(node:|at node:|internal\/|<anonymous>/

/** `at f (/srv/app/src/board.ts:12:5)` without position and folder: `f board.ts`. */
function frame(line: string): string {
  const match = /^\s*at (?:async )?(?:(.+?) \()?(.+?)(?::\d+)?(?::\d+)?\)?$/.exec(line)
  if (match === null) return ''
  return `${match[1] ?? ''} ${(match[2] ?? '').replace(/^.*[/\\]/, '')}`.trim()
}

/** A message without what differs from time to time: numbers, ids, quoted values. */
function pattern(message: string): string {
  return message
    .slice(0, 500)
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}|0x[\da-f]+|\b[\da-f]{16,}\b/gi, '#')
    .replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, '"…"')
    .replaceAll(/\d+(?:\.\d+)?/g, '#')
}

/**
 * The text by which errors are grouped: type and up to five frames of the application (function and file, no line
 * numbers, so that a group survives a release); without such frames, type and the message without its numbers, ids
 * and quoted values. A group's id is xxHash64 of it.
 */
export function exceptionFingerprint({ type, message, stack }: Pick<ExceptionRecord, 'type' | 'message' | 'stack'>): string {
  // Cut first: what follows takes time with the square of a line's length, and anyone may send a stack.
  const lines = stack.slice(0, 20_000).split('\n').filter((line) => line.length <= 500 && line.trimStart().startsWith('at '))
  const frames = lines.filter((line) => !FOREIGN.test(line)).slice(0, 5).map(frame)
  return [type, ...(frames.length > 0 ? frames : [pattern(message)])].join('\n')
}
