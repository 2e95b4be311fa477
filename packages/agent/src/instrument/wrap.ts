// Replacing a method of a library, so that it still looks like the method it was.
import { diag } from '@opentelemetry/api'

const ORIGINAL = Symbol.for('andon.original')

/** A method of anyone's. */
export type Method = (this: unknown, ...args: unknown[]) => unknown

export function isMethod(value: unknown): value is Method {
  return typeof value === 'function'
}

/** A property of what may be no object; undefined where there is none. */
export function get(owner: unknown, name: PropertyKey): unknown {
  return (typeof owner === 'object' && owner !== null) || typeof owner === 'function' ? Reflect.get(owner, name) : undefined
}

/** A text property of what may be no object; undefined where there is none. */
export function getText(owner: unknown, name: PropertyKey): string | undefined {
  const value = get(owner, name)
  return typeof value === 'string' ? value : undefined
}

/** An array of whatever; empty where the value is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Puts `made` in the place of `original`: same name, length and own properties, and known as wrapped. */
function disguise(original: Method, made: Method): void {
  for (const key of Reflect.ownKeys(original)) {
    const own = Reflect.getOwnPropertyDescriptor(original, key)
    // A function that can be constructed keeps its prototype, so that `instanceof` holds.
    if (own !== undefined && Reflect.getOwnPropertyDescriptor(made, key)?.configurable !== false) Reflect.defineProperty(made, key, own)
  }
  Reflect.defineProperty(made, ORIGINAL, { value: original })
}

/**
 * Replaces the method `name` of `owner` by what `make` gives for it.
 *
 * @param make - gets the original; its result is called with the same `this` and arguments
 * @throws Error when there is no such method; a method that is wrapped already stays as it is
 */
export function wrap(owner: unknown, name: PropertyKey, make: (original: Method) => Method): void {
  const original = get(owner, name)
  if (!isMethod(original) || owner === null || (typeof owner !== 'object' && typeof owner !== 'function')) throw new Error(`it has no method ${String(name)}`)
  if (Object.hasOwn(original, ORIGINAL)) return
  const made = make(original)
  disguise(original, made)
  const own = Reflect.getOwnPropertyDescriptor(owner, name)
  const done = own !== undefined && !('value' in own) ? Reflect.defineProperty(owner, name, { value: made, configurable: true, enumerable: own.enumerable ?? true, writable: true }) : Reflect.set(owner, name, made)
  if (!done) throw new Error(`its method ${String(name)} cannot be replaced`)
}

/**
 * Follows a promise, of whatever class, to its end. What nobody catches stays uncaught: the promise that is returned is the one to hand
 * out, because with a listener of ours on it the first one would count as handled.
 *
 * @returns what is no promise as it is
 */
export function followed(promise: unknown, done: (value: unknown) => void, failed: (error: unknown) => void): unknown {
  const then = get(promise, 'then')
  if (!isMethod(then)) return promise
  return Reflect.apply(then, promise, [
    (value: unknown) => {
      quietly(() => done(value))
      return value
    },
    (error: unknown) => {
      quietly(() => failed(error))
      throw error
    },
  ])
}

function quietly(run: () => void): void {
  try {
    run()
  } catch (error) {
    diag.error('andon: the end of a call could not be recorded', error)
  }
}
