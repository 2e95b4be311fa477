// What the application registers: routes, jobs, handlers, dependencies. Sent to the server, so that it can say which of
// them have no data.
import { diag } from '@opentelemetry/api'
import { INVENTORY_KINDS, type InventoryItem, type InventoryKind, isInventoryItem, type Milliseconds } from '@andon/model'
import { objectOf } from './wrong-use.ts'

/** Of one kind, so that many hosts called take no place from routes; past it nothing more is registered, and counted. */
const MAX_OF_KIND = 1000

type Watcher = () => void

/** One set of a process, also where it holds several copies of this package. */
interface Shared {
  readonly names: ReadonlyMap<InventoryKind, Set<string>>
  readonly watchers: Set<Watcher>
  dropped: number
}

const KEY = Symbol.for('andon.inventory')

function isShared(value: unknown): value is Shared {
  return typeof value === 'object' && value !== null && 'names' in value && 'watchers' in value && value.watchers instanceof Set
}

function makeShared(): Shared {
  const found: unknown = Reflect.get(globalThis, KEY)
  if (isShared(found)) return found
  const made: Shared = { names: new Map(INVENTORY_KINDS.map((kind) => [kind, new Set<string>()])), watchers: new Set(), dropped: 0 }
  Reflect.set(globalThis, KEY, made)
  return made
}

const shared = makeShared()

/**
 * Registers an operation that matters, used or not: a route, a job, a handler of messages, a dependency. Cheap enough to be
 * called at every use: a name that is known costs one look-up. At most 1,000 names of a kind are kept; never throws.
 *
 * @param item - named as its spans are; see InventoryItem
 */
export function registerInventory(item: InventoryItem): void {
  const { kind, name = '' } = objectOf(item, 'an operation')
  const names = kind === undefined ? undefined : shared.names.get(kind)
  if (names?.has(name) === true) return
  if (names === undefined || !isInventoryItem({ kind, name }) || names.size >= MAX_OF_KIND) {
    if (shared.dropped === 0) diag.warn(`andon: an operation is not registered: more than ${MAX_OF_KIND} of a kind, or no name of 1 to 300 characters`)
    shared.dropped += 1
    return
  }
  names.add(name)
  for (const changed of shared.watchers) changed()
}

/** All that is registered, by kind, in the order of registration. */
export function inventoryItems(): InventoryItem[] {
  return INVENTORY_KINDS.flatMap((kind) => [...(shared.names.get(kind) ?? [])].map((name) => ({ kind, name })))
}

/** Changes are gathered for so long: routes are registered one by one. */
const GATHER_MS: Milliseconds = 2000
/** The whole is told again, so that the server knows that it still holds. */
const REPEAT_MS: Milliseconds = 3_600_000

/**
 * Calls `send` soon after anything was registered, and once an hour; never while nothing is registered. Its timers do not keep the
 * host alive.
 *
 * @returns `flush`, which sends at once what waits to be gathered, and what ends it
 */
export function watchInventory(send: () => void): { flush: () => void; stop: () => void } {
  let gathering: NodeJS.Timeout | undefined
  const flush = (): void => {
    if (gathering === undefined) return
    clearTimeout(gathering)
    gathering = undefined
    send()
  }
  const changed = (): void => {
    gathering ??= setTimeout(flush, GATHER_MS).unref()
  }
  shared.watchers.add(changed)
  const hasItems = (): boolean => [...shared.names.values()].some(({ size }) => size > 0)
  const repeat = setInterval(() => {
    if (hasItems()) changed()
  }, REPEAT_MS).unref()
  if (hasItems()) changed()
  return {
    flush,
    stop: () => {
      shared.watchers.delete(changed)
      clearTimeout(gathering)
      gathering = undefined
      clearInterval(repeat)
    },
  }
}
