// Watches those ECMAScript modules of which something is to be patched; all others are loaded as without the agent.
import { existsSync } from 'node:fs'
import Module, { register } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { diag } from '@opentelemetry/api'
import { HAND_OVER, type NamesByFile, namesOf, textOf, withHandOver } from './esm-source.ts'
import { get, isMethod } from './wrap.ts'

/** Patches an object of named values, in place or by returning another one. */
type Apply = (path: string, exports: unknown) => unknown

function take(apply: Apply, url: unknown, values: unknown, setters: unknown): void {
  if (typeof url !== 'string' || typeof values !== 'object' || values === null) return
  const before = { ...values }
  const after = apply(fileURLToPath(url), values)
  for (const [name, value] of Object.entries(before)) {
    const now = get(after, name)
    const set = get(setters, name)
    if (now !== value && isMethod(set)) set(now)
  }
}

/** Whether a folder above the program or above the working directory holds one of the packages. */
function isInstalled(names: readonly string[]): boolean {
  const starts = [process.cwd(), ...(process.argv[1] === undefined ? [] : [dirname(process.argv[1])])]
  return starts.some((start) => {
    for (let folder = start; ; folder = dirname(folder)) {
      if (names.some((name) => existsSync(join(folder, 'node_modules', name)))) return true
      if (folder === dirname(folder)) return false
    }
  })
}

// By its name, because this file runs from a bundle in another folder, too.
const LOADER = '@andon/agent/esm-loader'

let watching = false

/**
 * Starts to watch; once for a process. Uses hooks in this thread where Node has them (22.15 and later); before, Node
 * needs a thread for it, which is started only where one of the packages is installed.
 *
 * @param builtin - told each part of Node that is asked for, as its `node:` URL; only by hooks in this thread
 */
export function watchEcmaScript(wanted: NamesByFile, apply: Apply, builtin: (url: string) => void = () => undefined): void {
  if (watching) return
  watching = true
  const handOver = (url: unknown, values: unknown, setters: unknown): void => {
    try {
      take(apply, url, values, setters)
    } catch (error) {
      diag.error(`andon: ${String(url)} could not be instrumented`, error)
    }
  }
  Reflect.defineProperty(globalThis, Symbol.for(HAND_OVER), { value: handOver, configurable: true })
  const registerHooks: unknown = Reflect.get(Module, 'registerHooks')
  if (isMethod(registerHooks)) registerHooks({ load: syncLoad(wanted, builtin) })
  else if (isInstalled(Object.keys(wanted))) register(LOADER, import.meta.url, { data: wanted })
}

function syncLoad(wanted: NamesByFile, builtin: (url: string) => void): (url: string, context: unknown, next: (url: string, context: unknown) => unknown) => unknown {
  return (url, context, next) => {
    const result = next(url, context)
    if (url.startsWith('node:')) builtin(url)
    if (get(result, 'format') !== 'module') return result
    const names = namesOf(url, wanted)
    const source = names === undefined ? undefined : textOf(get(result, 'source'))
    return names === undefined || source === undefined || typeof result !== 'object' ? result : { ...result, source: withHandOver(source, names) }
  }
}
