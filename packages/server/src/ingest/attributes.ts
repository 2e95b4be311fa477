// What one attribute, one set of attributes, and what is described by them may be at most.
import type { Attributes, AttributeValue, Resource, Scope } from '@andon/model'
import type { Limits } from '../runtime/limits.ts'

type AttributeLimits = Pick<Limits, 'attributes' | 'attributeLength'>

/** UTF-16 units of a key; an attribute with a longer one is dropped. */
export const KEY_MAX = 1024

/** Attributes within the limits, and how many were left out. */
export interface Bounded {
  readonly attributes: Attributes
  readonly dropped: number
}

/** The beginning of a text, not cut in the middle of a pair of surrogates, which would not be UTF-8. */
export function beginning(text: string, length: number): string {
  if (text.length <= length) return text
  const end = /[\uD800-\uDBFF]/.test(text[length - 1] ?? '') ? length - 1 : length
  return text.slice(0, end)
}

type Group = readonly AttributeValue[] | Attributes

function isList(value: Group): value is readonly AttributeValue[] {
  return Array.isArray(value)
}

function isGroup(value: AttributeValue): value is Group {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

/** How much of the length of an attribute a value takes: units of texts and keys, bytes, and one for each element. */
function lengthOf(value: AttributeValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array) return value.length
  if (!isGroup(value)) return 0
  if (isList(value)) return value.reduce<number>((sum, each) => sum + 1 + lengthOf(each), 0)
  return Object.entries(value).reduce((sum, [key, each]) => sum + 1 + key.length + lengthOf(each), 0)
}

/** The beginning of a value; `room` counts down over all that lies in it. */
function cut(value: AttributeValue, room: { left: number }): AttributeValue {
  if (typeof value === 'string') {
    const text = beginning(value, Math.max(0, room.left))
    room.left -= text.length
    return text
  }
  if (value instanceof Uint8Array) {
    const bytes = value.slice(0, Math.max(0, room.left))
    room.left -= bytes.length
    return bytes
  }
  if (!isGroup(value)) return value
  if (isList(value)) {
    const kept: AttributeValue[] = []
    for (const each of value) {
      if ((room.left -= 1) < 0) break
      kept.push(cut(each, room))
    }
    return kept
  }
  const kept: Record<string, AttributeValue> = Object.create(null)
  for (const [key, each] of Object.entries(value)) {
    if ((room.left -= 1 + key.length) < 0) break
    kept[key] = cut(each, room)
  }
  return kept
}

/** Cuts long values and drops attributes past the limit; gives back the same object when nothing is to be done. */
export function bounded(attributes: Attributes, limits: AttributeLimits): Bounded {
  const keys = Object.keys(attributes)
  const isLong = (key: string): boolean => key.length > KEY_MAX || lengthOf(attributes[key] ?? null) > limits.attributeLength
  if (keys.length <= limits.attributes && !keys.some(isLong)) return { attributes, dropped: 0 }
  const kept: Record<string, AttributeValue> = Object.create(null)
  const chosen = keys.filter((key) => key.length <= KEY_MAX).slice(0, limits.attributes)
  for (const key of chosen) kept[key] = cut(attributes[key] ?? null, { left: limits.attributeLength })
  return { attributes: kept, dropped: keys.length - chosen.length }
}

/** A resource or scope within the limits; each is looked at once, however many records share it. */
export class BoundedSources {
  readonly #limits: AttributeLimits
  readonly #resources = new WeakMap<Resource, Resource>()
  readonly #scopes = new WeakMap<Scope, Scope>()

  constructor(limits: AttributeLimits) {
    this.#limits = limits
  }

  resource(resource: Resource): Resource {
    let known = this.#resources.get(resource)
    if (known === undefined) {
      const { attributes, dropped } = bounded(resource.attributes, this.#limits)
      const schemaUrl = beginning(resource.schemaUrl, KEY_MAX)
      const isSame = attributes === resource.attributes && schemaUrl === resource.schemaUrl
      known = isSame ? resource : { attributes, droppedAttributes: resource.droppedAttributes + dropped, schemaUrl }
      this.#resources.set(resource, known)
    }
    return known
  }

  scope(scope: Scope): Scope {
    let known = this.#scopes.get(scope)
    if (known === undefined) {
      const { attributes, dropped } = bounded(scope.attributes, this.#limits)
      const texts = { name: beginning(scope.name, KEY_MAX), version: beginning(scope.version, KEY_MAX), schemaUrl: beginning(scope.schemaUrl, KEY_MAX) }
      const isSame = attributes === scope.attributes && texts.name === scope.name && texts.version === scope.version && texts.schemaUrl === scope.schemaUrl
      known = isSame ? scope : { ...texts, attributes, droppedAttributes: scope.droppedAttributes + dropped }
      this.#scopes.set(scope, known)
    }
    return known
  }
}
