/** What an application can register: a route it serves, a job it runs, a handler of messages, a system it calls. */
export const INVENTORY_KINDS = ['route', 'job', 'handler', 'dependency'] as const
export type InventoryKind = (typeof INVENTORY_KINDS)[number]

/** UTF-16 units of a name; what is longer is not registered. */
export const INVENTORY_NAME_MAX = 300

/**
 * One critical operation that an application registers, whether or not it was ever used: what coverage is measured against.
 *
 * `name` is how its spans name it, so that the two can be joined:
 * route `GET /api/boards/:id` (method, space, template) · job and handler the name of their spans ·
 * dependency `postgresql/shop` (system/database), or `api.example.com:443` (host:port).
 */
export interface InventoryItem {
  readonly kind: InventoryKind
  readonly name: string
}

/** Whether an item may be registered: a known kind and a name of 1 to 300 characters without control characters. */
export function isInventoryItem(value: { readonly kind: unknown; readonly name: unknown }): value is InventoryItem {
  const { kind, name } = value
  if (!INVENTORY_KINDS.some((known) => known === kind) || typeof name !== 'string') return false
  return name.trim() !== '' && name.length <= INVENTORY_NAME_MAX && !/\p{Cc}/u.test(name)
}
