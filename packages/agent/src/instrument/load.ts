// Sees every CommonJS file of a watched package when it has been loaded, whoever asked for it: `require`, or `import`,
// because Node loads CommonJS for both by the same loader. No thread, no hook of the resolution, nothing per `require`.
import Module, { createRequire, syncBuiltinESMExports } from 'node:module'
import { diag } from '@opentelemetry/api'
import satisfies from 'semver/functions/satisfies.js'
import { type Copy, innerPath, locate, ownName, readCopy } from './copy.ts'
import type { NamesByFile } from './esm-source.ts'
import { note } from './outcomes.ts'
import { get, wrap } from './wrap.ts'

/** Where in a package there is something to patch. */
export interface Place {
  /** A range of versions as npm writes it, prereleases included. */
  readonly versions: string
  /** The path within the package, with forward slashes; what `require(name)` gives when absent. */
  readonly file?: string
  /** For a file that is an ECMAScript module: its own functions and classes that the patch may read and replace. */
  readonly names?: readonly string[]
  /** Who patches; `andon` when absent. */
  readonly by?: string
}

/** Changes what a file exports in place, or returns what is to be exported instead. What it throws is reported. */
export type Patch = (exports: unknown, copy: Copy) => unknown

interface Target extends Place {
  readonly patch: Patch
}

const targets = new Map<string, Target[]>()
/** Names that are not to be patched by us. */
const leftAlone = new Set<string>()
/** Called once for a name when the first of its files is about to be loaded. */
const announced = new Map<string, { readonly modules: Readonly<Record<string, readonly string[]>>; readonly run: () => void }>()
const patched = new WeakMap<object, Set<Patch>>()

/**
 * Patches a package whenever a copy of it is loaded from now on; each copy once. Copies that are loaded already are patched in place.
 *
 * @param patch - gets the exports of the file; a failure leaves the file as it is and is told by `outcomes`
 */
export function onModule(name: string, place: Place, patch: Patch): void {
  if (place.by === undefined && leftAlone.has(name)) return
  const known = targets.get(name)
  if (known === undefined) targets.set(name, [{ ...place, patch }])
  else known.push({ ...place, patch })
  const { file } = place
  if (file !== undefined && file !== 'index.js') telltales.add(file)
}

/** Files by which a package gives itself away that was installed under another name; one that every package has does not. */
const telltales = new Set<string>()

/** The package of a file, under the name by which it is watched; undefined where nothing of it is. */
function watchedPackage(path: string): { readonly name: string; readonly directory: string } | undefined {
  const place = locate(path)
  if (place === undefined || isWatched(place.name)) return place
  if (!telltales.has(innerPath(place, path))) return undefined
  const name = ownName(place.directory)
  return name !== undefined && isWatched(name) ? { name, directory: place.directory } : undefined
}

/**
 * Calls `run` once, when the first file of a package of that name is about to be loaded; it may call `onModule`.
 *
 * @param modules - the names that will be wanted of its files that are ECMAScript modules
 */
export function beforeModule(name: string, modules: Readonly<Record<string, readonly string[]>>, run: () => void): void {
  announced.set(name, { modules, run })
}

/** Packages and parts of Node (as `node:` URLs) that our own instrumentation is not to patch, whatever it asks for from now on. */
export function leaveAlone(names: readonly string[]): void {
  for (const name of names) leftAlone.add(name)
}

/** Forgets what is to be patched; what has been patched stays so, and is not patched again by the same patch. */
export function forgetModules(): void {
  targets.clear()
  telltales.clear()
  leftAlone.clear()
  announced.clear()
  builtins.clear()
}

const builtins = new Map<string, () => void>()

/**
 * Calls `run` once, when a part of Node has been loaded that is not to be loaded by the agent itself, because Node warns of it. Before
 * 22.15 nobody tells of that: there `run` is called now, and Node's warning of that part is not seen.
 */
export function beforeBuiltin(url: string, run: () => void): void {
  if (leftAlone.has(url)) return
  if ('registerHooks' in Module) builtins.set(url, run)
  else if (Module.isBuiltin(url)) unwarned(run)
}

function unwarned(run: () => void): void {
  const own: unknown = Reflect.get(process, 'emitWarning')
  process.emitWarning = () => undefined
  try {
    run()
  } finally {
    Reflect.set(process, 'emitWarning', own)
  }
}

/** Tells that a part of Node has been asked for. */
export function askedForBuiltin(url: string): void {
  const run = builtins.get(url)
  if (run === undefined) return
  builtins.delete(url)
  run()
}

/** Patches a part of Node for both kinds of importers. */
export function patchBuiltin(name: string, by: string, patch: (exports: unknown) => unknown): void {
  try {
    patch(createRequire(import.meta.url)(name))
    syncBuiltinESMExports()
    note({ name, version: '', path: '', by, reason: undefined, detail: '' })
  } catch (error) {
    note({ name, version: '', path: '', by, reason: 'patch failed', detail: String(error) })
  }
}

/** The names of which something is to be patched. */
export function isWatched(name: string): boolean {
  return targets.has(name) || announced.has(name)
}

/** What is to be handed over by ECMAScript modules, of all packages that are watched. */
export function wantedNames(): NamesByFile {
  const wanted: Record<string, Record<string, string[]>> = {}
  const add = (name: string, file: string, names: readonly string[]): void => {
    const files = (wanted[name] ??= {})
    files[file] = [...new Set([...(files[file] ?? []), ...names])]
  }
  for (const [name, all] of targets) for (const { file, names } of all) if (file !== undefined && names !== undefined) add(name, file, names)
  for (const [name, { modules }] of announced) for (const [file, names] of Object.entries(modules)) add(name, file, names)
  return wanted
}

function prepare(name: string): void {
  const announcement = announced.get(name)
  if (announcement === undefined) return
  announced.delete(name)
  try {
    announcement.run()
  } catch (error) {
    diag.error(`andon: the instrumentation of ${name} could not be loaded`, error)
  }
}

/** Whether `patch` has not been applied to these exports before. */
function isFirst(exports: unknown, patch: Patch): boolean {
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return true
  const known = patched.get(exports)
  if (known === undefined) patched.set(exports, new Set([patch]))
  else if (known.has(patch)) return false
  else known.add(patch)
  return true
}

function applyTarget(target: Target, copy: Copy, exports: unknown): unknown {
  const { name, version, directory: path } = copy
  const outcome = { name, version, path, by: target.by ?? 'andon' }
  if (!satisfies(version, target.versions, { includePrerelease: true, loose: true })) {
    note({ ...outcome, reason: 'version out of range', detail: target.versions })
    return exports
  }
  if (!isFirst(exports, target.patch)) return exports
  try {
    const replaced = target.patch(exports, copy) ?? exports
    note({ ...outcome, reason: undefined, detail: '' })
    return replaced
  } catch (error) {
    note({ ...outcome, reason: 'patch failed', detail: error instanceof Error ? error.message : String(error) })
    return exports
  }
}

/** Whether another target of the same package, for the same file, serves this version. */
function isServed(all: readonly Target[], { file, by }: Target, version: string): boolean {
  return all.some((other) => other.by === by && other.file === file && satisfies(version, other.versions, { includePrerelease: true, loose: true }))
}

/** Applies all patches of a file that has been loaded. @returns what it is to export */
export function applyPatches(path: string, exports: unknown): unknown {
  const place = watchedPackage(path)
  if (place === undefined) return exports
  prepare(place.name)
  const all = targets.get(place.name) ?? []
  const copy = readCopy(place.name, place.directory)
  const inner = innerPath(copy, path)
  let result = exports
  for (const target of all) {
    if (target.file === undefined ? path !== copy.main : target.file !== inner) continue
    // Where each range of versions has its own target, only a version that none serves is told.
    if (!satisfies(copy.version, target.versions, { includePrerelease: true, loose: true }) && isServed(all, target, copy.version)) continue
    result = applyTarget(target, copy, result)
  }
  return result
}

function loaded(path: unknown, module: unknown): void {
  try {
    if (typeof path !== 'string' || typeof module !== 'object' || module === null) return
    const before: unknown = Reflect.get(module, 'exports')
    const after = applyPatches(path, before)
    if (after !== before) Reflect.set(module, 'exports', after)
  } catch (error) {
    diag.error('andon: a module could not be looked at', error)
  }
}

/** Patches in place what was loaded before; what would have to be replaced is told, because others hold the original. */
export function patchLoaded(): void {
  const cache: unknown = Reflect.get(Module, '_cache')
  if (typeof cache !== 'object' || cache === null) return
  for (const path of Object.keys(cache)) {
    const place = watchedPackage(path)
    if (place === undefined) continue
    const exports = get(Reflect.get(cache, path), 'exports')
    if (applyPatches(path, exports) === exports) continue
    const { name, version, directory } = readCopy(place.name, place.directory)
    note({ name, version, path: directory, by: 'andon', reason: 'loaded before the agent', detail: '' })
  }
}

let watching = false

/** Starts to watch the loader; once for a process. */
export function watchModules(): void {
  if (watching) return
  watching = true
  wrap(Module.prototype, 'load', (load) =>
    function watchedLoad(this: unknown, ...args) {
      const [path] = args
      const place = typeof path === 'string' ? watchedPackage(path) : undefined
      if (place === undefined) return Reflect.apply(load, this, args)
      prepare(place.name)
      const result = Reflect.apply(load, this, args)
      loaded(path, this)
      return result
    },
  )
}
