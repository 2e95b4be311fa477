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

/** Frames of the runtime itself and of dependencies change with versions; those of the application identify an error. */
const FOREIGN = /node_modules|\(node:|at node:|internal\/|<anonymous>|site-packages|[/\\]lib[/\\]python\d/

/** The name of a file without its folder and the hash that a bundler gives it. */
function fileName(path: string): string {
  return path.replace(/^.*[/\\]/, '').replace(/[.-](?=[A-Za-z_]*\d)\w{8,}(?=\.\w+$)/, '')
}

/** `at f (/srv/app/src/board.ts:12:5)` without position and folder: `f board.ts`. So of .NET, which ends in `in FILE:line 12`. */
function frame(line: string): string {
  const match = /^\s*at (?:async )?(?:(.+?) (?:\(|in ))?(.+?)(?::(?:line )?\d+)?(?::\d+)?\)?$/.exec(line)
  if (match === null) return ''
  return `${match[1] ?? ''} ${fileName(match[2] ?? '')}`.trim()
}

/** `File "/srv/app/board.py", line 12, in f` of Python: `f board.py`. */
function pythonFrame(line: string): string {
  const match = /^\s*File "([^"]+)", line \d+, in (\S+)/.exec(line)
  return match === null ? '' : `${match[2] ?? ''} ${fileName(match[1] ?? '')}`
}

/** The frames of the application, the innermost first: Python says it last. */
function framesOf(lines: readonly string[]): string[] {
  const own = lines.filter((line) => !FOREIGN.test(line))
  const frames = own.filter((line) => line.trimStart().startsWith('at ')).map(frame)
  return frames.length > 0 ? frames : own.map(pythonFrame).filter((each) => each !== '').toReversed()
}

/** A message without what differs from time to time: numbers, ids, addresses of mail, quoted values. */
function pattern(message: string): string {
  return message
    .slice(0, 500)
    .replaceAll(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g, '#')
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}|0x[\da-f]+|\b(?=[A-Za-z_]*\d)\w{8,}\b/gi, '#')
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
  const frames = framesOf(stack.slice(0, 20_000).split('\n').filter((line) => line.length <= 500)).slice(0, 5)
  return [type, ...(frames.length > 0 ? frames : [pattern(message)])].join('\n')
}
