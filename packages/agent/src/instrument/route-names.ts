// Names of the routes of Express and of the package `router`: a route says its own path, the routers above it theirs.
import { registerInventory } from '../inventory.ts'
import { get, getText, list } from './wrap.ts'

/** A router hangs in another one under a path; undefined for one that is not known. */
interface Mount {
  readonly parent: object
  readonly path: string
}

const mounts = new WeakMap<object, Mount[]>()
const routers = new WeakMap<object, object>()
/** Grows with each mount, so that names that were made before are made again. */
let revision = 0

/** A path as it is written by the application; a regular expression and several paths in few words. */
export function pathText(path: unknown): string {
  if (Array.isArray(path)) return path.length === 1 ? pathText(path[0]) : path.map(pathText).join('|')
  return typeof path === 'string' || path instanceof RegExp ? String(path) : ''
}

function join(above: string, path: string): string {
  const inner = path === '/' ? '' : path
  return `${above.replace(/\/$/, '')}${inner === '' || inner.startsWith('/') ? inner : `/${inner}`}`
}

const MAX_DEPTH = 20

/** All paths under which a router can be reached; more than 100 are not looked at. */
function prefixesOf(router: object, depth = 0): readonly string[] {
  const above = mounts.get(router)
  if (above === undefined || depth > MAX_DEPTH) return ['']
  return above.flatMap(({ parent, path }) => prefixesOf(parent, depth + 1).map((prefix) => join(prefix, path))).slice(0, 100)
}

/** Remembers that `child` hangs in `parent`, under a path or under each of several. */
export function rememberMount(parent: object, path: unknown, child: object): void {
  if (parent === child) return
  if (Array.isArray(path)) {
    for (const each of path) rememberMount(parent, each, child)
    return
  }
  const known = mounts.get(child)
  const mount = { parent, path: pathText(path) }
  if (known === undefined) mounts.set(child, [mount])
  else if (!known.some((each) => each.parent === parent && each.path === mount.path)) known.push(mount)
  revision += 1
}

interface Names {
  readonly revision: number
  readonly prefixes: readonly string[]
  readonly names: readonly string[]
}

const namesOfRoutes = new WeakMap<object, Names>()

function namesOf(route: object): Names {
  const known = namesOfRoutes.get(route)
  if (known !== undefined && known.revision === revision) return known
  const router = routers.get(route)
  const prefixes = router === undefined ? [''] : prefixesOf(router)
  const path = pathText(get(route, 'path'))
  const made = { revision, prefixes, names: prefixes.map((prefix) => join(prefix, path) || '/') }
  namesOfRoutes.set(route, made)
  return made
}

/** Whether a path that was asked for can come by a prefix as it is written. */
function fits(prefix: string, asked: string): boolean {
  if (prefix === asked || /[\\^]/.test(prefix)) return true
  const written = prefix.toLowerCase().split('/')
  const parts = asked.toLowerCase().split('/')
  return written.length === parts.length && written.every((each, index) => each === parts[index] || /[:*{(]/.test(each))
}

/** Parts of a path that look like values, so that a mount that cannot be seen does not make a name for each. */
function withoutValues(path: string): string {
  return path.replaceAll(/\/[^/]*\d[^/]*|\/[^/]{30,}/g, '/*')
}

/**
 * The name of a route as the application wrote it, with the paths of all routers above it.
 *
 * @param asked - the part of the path that the routers above have taken, as it was asked for
 */
export function routeName(route: object, asked: string): string {
  const { prefixes, names } = namesOf(route)
  const [first = ''] = prefixes
  if (prefixes.length === 1 && first === asked) return names[0] ?? '/'
  const at = prefixes.findIndex((prefix) => fits(prefix, asked))
  return names[at] ?? (join(withoutValues(asked), pathText(get(route, 'path'))) || '/')
}

const SOON_MS = 1000
const MAX_PENDING = 2000
let pending: object[] = []

/** Remembers to which router a route belongs, and registers it once the application has put its routers together. */
export function rememberRoute(router: object, route: object): void {
  routers.set(route, router)
  if (pending.length === 0) setTimeout(registerPending, SOON_MS).unref()
  if (pending.length < MAX_PENDING) pending.push(route)
}

function registerPending(): void {
  const routes = pending
  pending = []
  for (const route of routes) {
    const methods = new Set(list(get(route, 'stack')).map((layer) => getText(layer, 'method')?.toUpperCase()))
    for (const method of methods) {
      if (method === undefined || method === 'HEAD') continue
      for (const name of namesOf(route).names) registerInventory({ kind: 'route', name: `${method} ${name}` })
    }
  }
}
