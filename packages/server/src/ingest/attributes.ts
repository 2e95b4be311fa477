import type { Attributes, AttributeValue } from '@andon/model'
import type { Limits } from '../runtime/limits.ts'

/** Attributes within the limits, and how many were left out. */
export interface Bounded {
  readonly attributes: Attributes
  readonly dropped: number
}

function short(value: AttributeValue, length: number): AttributeValue {
  if (typeof value !== 'string' || value.length <= length) return value
  // Not in the middle of a pair of surrogates, which would not be UTF-8.
  const end = /[\uD800-\uDBFF]/.test(value[length - 1] ?? '') ? length - 1 : length
  return value.slice(0, end)
}

/** Cuts long texts and drops attributes past the limit; gives back the same object when nothing is to be done. */
export function bounded(attributes: Attributes, limits: Pick<Limits, 'attributes' | 'attributeLength'>): Bounded {
  const keys = Object.keys(attributes)
  const isLong = (key: string): boolean => {
    const value = attributes[key]
    return typeof value === 'string' && value.length > limits.attributeLength
  }
  if (keys.length <= limits.attributes && !keys.some(isLong)) return { attributes, dropped: 0 }
  const kept: Record<string, AttributeValue> = Object.create(null)
  for (const key of keys.slice(0, limits.attributes)) kept[key] = short(attributes[key] ?? null, limits.attributeLength)
  return { attributes: kept, dropped: Math.max(0, keys.length - limits.attributes) }
}
