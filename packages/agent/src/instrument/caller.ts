// Which line of the application makes a call.
import { fileURLToPath } from 'node:url'

const FRAMES = 30
/** What stands in a frame that is not the application's. */
const FOREIGN = /[/\\]node_modules[/\\]|^node:|^internal\//
const OWN = fileURLToPath(new URL('..', import.meta.url))

/** The path of a frame: an ECMAScript module has a URL, CommonJS a path. */
const pathOf = (file: string): string => file.replace(/^file:\/\//, '')

/** @returns attributes `code.*` of the nearest frame that is neither Node's, a package's nor the agent's; none where there is none */
export function callerOf(): (readonly [key: string, value: string | number])[] {
  const { stackTraceLimit } = Error
  const prepareStackTrace: unknown = Reflect.get(Error, 'prepareStackTrace')
  Error.stackTraceLimit = FRAMES
  Error.prepareStackTrace = (_error, sites) => sites
  const sites: unknown = new Error('caller').stack
  Error.stackTraceLimit = stackTraceLimit
  Reflect.set(Error, 'prepareStackTrace', prepareStackTrace)
  if (!Array.isArray(sites)) return []
  const frames: readonly NodeJS.CallSite[] = sites
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
