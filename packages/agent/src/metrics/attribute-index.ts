// From attributes to what is held for them, without making a key of text: one map lookup for each attribute.
import type { Attributes as ApiAttributes } from '@opentelemetry/api'

/** Values that are no attributes get a text as well: what they were meant to be is not for the caller's program to fail on. */
function textOfValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  try {
    return JSON.stringify(value)
  } catch {
    return typeof value
  }
}

/** The text that tells attribute sets apart, whatever the order of their keys. */
export function keyOf(attributes: ApiAttributes): string {
  const keys = Object.keys(attributes)
  if (keys.length === 0) return ''
  let key = ''
  for (const name of keys.length === 1 ? keys : keys.toSorted()) {
    const value = attributes[name]
    if (value !== undefined) key += `${name}\u0000${textOfValue(value)}\u0001`
  }
  return key
}

/** After the attributes on the way to it: a node knows the key that mostly comes next, and the others. */
class Node<T> {
  held: T | undefined = undefined
  key: string | undefined = undefined
  byValue: Map<unknown, Node<T>> | undefined = undefined
  forks: Map<string, Node<T>> | undefined = undefined
}

/** Paths that are remembered; further ones are found by their text. */
const MAX_PATHS = 20_000

/** Finds what is held for attributes. The order of keys makes other paths to the same. */
export class AttributeIndex<T extends object> {
  readonly #byText = new Map<string, T>()
  #root = new Node<T>()
  #paths = 0

  get size(): number {
    return this.#byText.size
  }

  values(): IterableIterator<T> {
    return this.#byText.values()
  }

  /** What is held, or undefined. Attributes are the object's own. */
  find(attributes: ApiAttributes): T | undefined {
    let node = this.#root
    for (const key in attributes) {
      if (node.key !== key) {
        const fork = node.forks?.get(key)
        if (fork === undefined) return this.#findByText(attributes)
        node = fork
      }
      const next = node.byValue?.get(attributes[key])
      if (next === undefined) return this.#findByText(attributes)
      node = next
    }
    return node.held ?? this.#findByText(attributes)
  }

  #findByText(attributes: ApiAttributes): T | undefined {
    const found = this.#byText.get(keyOf(attributes))
    if (found !== undefined) this.#remember(attributes, found)
    return found
  }

  add(attributes: ApiAttributes, held: T): void {
    this.#byText.set(keyOf(attributes), held)
    this.#remember(attributes, held)
  }

  #remember(attributes: ApiAttributes, held: T): void {
    if (this.#paths >= MAX_PATHS) return
    let node = this.#root
    for (const key in attributes) {
      const value = attributes[key]
      // A list is another object at each call: its path would never be walked again.
      if (typeof value === 'object') return
      node = this.#step(node, key, value)
    }
    node.held = held
  }

  #step(from: Node<T>, key: string, value: unknown): Node<T> {
    let node = from
    node.key ??= key
    if (node.key !== key) {
      const forks = (node.forks ??= new Map<string, Node<T>>())
      let fork = forks.get(key)
      if (fork === undefined) forks.set(key, (fork = new Node<T>()))
      fork.key = key
      node = fork
    }
    const byValue = (node.byValue ??= new Map<unknown, Node<T>>())
    let next = byValue.get(value)
    if (next === undefined) {
      byValue.set(value, (next = new Node<T>()))
      this.#paths += 1
    }
    return next
  }

  /** Forgets what `isOver` names, and all paths, which are soon walked again. */
  forget(isOver: (held: T) => boolean): void {
    let forgot = false
    for (const [key, held] of this.#byText) {
      if (!isOver(held)) continue
      this.#byText.delete(key)
      forgot = true
    }
    if (!forgot) return
    this.#root = new Node<T>()
    this.#paths = 0
  }
}
