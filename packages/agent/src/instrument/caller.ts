// Which line of the application makes a call.
import { isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'

const FRAMES = 30
/** What stands in a frame that is not the application's. */
const FOREIGN = /[/\\]node_modules[/\\]|^node:|^internal\//
const OWN = fileURLToPath(new URL('..', import.meta.url))

/** The path of a frame: an ECMAScript module has a URL, CommonJS a path. */
const pathOf = (file: string): string => file.replace(/^file:\/\//, '')

/** The calls that are running, the innermost first. @param below - leaves out this one and those that it made */
function stack(below?: (...args: never[]) => unknown): readonly NodeJS.CallSite[] {
  const target = {}
  const { stackTraceLimit } = Error
  const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace')
  Error.stackTraceLimit = FRAMES
  Error.prepareStackTrace = (_error, sites) => sites
  Error.captureStackTrace(target, below)
  const sites: unknown = Reflect.get(target, 'stack')
  Error.stackTraceLimit = stackTraceLimit
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace)
  return Array.isArray(sites) ? sites : []
}

/** The path of the file that calls a function which is running; undefined where that is no file. */
export function fileCalling(running: (...args: never[]) => unknown): string | undefined {
  const file = stack(running)[0]?.getFileName()
  if (typeof file !== 'string') return undefined
  if (file.startsWith('file:')) return fileURLToPath(file)
  return isAbsolute(file) ? file : undefined
}

/** @returns attributes `code.*` of the nearest frame that is neither Node's, a package's nor the agent's; none where there is none */
export function callerOf(): (readonly [key: string, value: string | number])[] {
  const frames = stack()
  const site = frames.find((frame) => {
    const file = frame.getFileName()
    return typeof file === 'string' && file !== '' && !FOREIGN.test(file) && !pathOf(file).startsWith(OWN)
  })
  const file = site?.getFileName()
  if (site === undefined || typeof file !== 'string') return []
  const method = site.getFunctionName() ?? site.getMethodName() ?? ''
  return [
    ['code.file.path', pathOf(file)],
    ['code.line.number', site.getLineNumber() ?? 0],
    ...(method === '' ? [] : [['code.function.name', method] as const]),
  ]
}
