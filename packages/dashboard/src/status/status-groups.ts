import type { Unit } from '../ui/format.ts'
import type { Zone } from '../ui/time-range.ts'
import type { StatusFact, StatusGroup } from './status-fact.ts'
import { diskGroup, retentionGroup } from './storage-groups.ts'

const UNITS: readonly (readonly [RegExp, Unit])[] = [
  [/bytes/i, 'bytes'],
  [/(rss|resident|heap\w*|external|arraybuffers|disk)$/i, 'bytes'],
  [/([a-z]Ms|_ms|^ms|milliseconds)$/, 'milliseconds'],
  [/seconds$/i, 'seconds'],
  [/(ratio|utilization)$/i, 'ratio'],
  [/persecond$/i, 'operationsPerSecond'],
]
const LOSSES = /(dropped|refused|rejected|failed|failures|errors|lost|overflow)/i

/** The unit that the name of a field says; plain counts say none. */
export function unitOf(key: string): Unit {
  return UNITS.find(([pattern]) => pattern.test(key))?.[1] ?? 'count'
}

/** A field's name as words, without the unit that is written beside the number. */
export function fieldWords(key: string): string {
  const words = key
    .replace(/(Bytes|Milliseconds|Ms|Seconds|Ratio)$/, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[._-]+/g, ' ')
    .trim()
    .toLowerCase()
  const text = words === '' ? key : words
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const isList = (value: unknown): value is Record<string, unknown>[] => Array.isArray(value) && value.every((item) => isRecord(item) && 'name' in item && 'bytes' in item)
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function facts(record: Record<string, unknown>, prefix: string, inLimits: boolean): StatusFact[] {
  return Object.entries(record).flatMap(([key, value]): StatusFact[] => {
    const name = prefix === '' ? fieldWords(key) : `${prefix} · ${fieldWords(key).toLowerCase()}`
    if (isRecord(value)) return facts(value, name, inLimits)
    if (isList(value)) return []
    if (typeof value === 'number' || value === null) {
      return [{ name, value, text: '', unit: unitOf(`${prefix} ${key}`), alarming: !inLimits && LOSSES.test(name) && (value ?? 0) > 0 }]
    }
    return [{ name, value: null, text: typeof value === 'string' ? value : JSON.stringify(value), unit: null, alarming: false }]
  })
}

/** Lists, such as the store's tables, are groups of their own: each item by its name with its bytes, its other numbers as note. */
function listGroups(record: Record<string, unknown>): StatusGroup[] {
  return Object.entries(record).flatMap(([key, value]) => {
    if (!isList(value) || key === 'retention') return []
    const items = value.map(({ name, bytes, ...others }): StatusFact => {
      const note = Object.entries(others).map(([what, count]) => `${Number(count).toLocaleString('en')} ${fieldWords(what).toLowerCase()}`)
      return { name: String(name), value: Number(bytes), text: '', unit: 'bytes', note: note.join(', '), alarming: false }
    })
    return [{ title: fieldWords(key), facts: items }]
  })
}

/**
 * The answer of /api/status as groups of facts: each object on the first level is a group, loose fields are "Server".
 * New fields of the server show up without a change here; their unit comes from their name.
 */
export function statusGroups(status: Record<string, unknown>, zone: Zone): StatusGroup[] {
  const loose = Object.fromEntries(Object.entries(status).filter(([key, value]) => !isRecord(value) && key !== 'version'))
  const groups = Object.entries(status).flatMap(([key, value]): StatusGroup[] => {
    if (!isRecord(value)) return []
    const [disk, retention] = [key === 'disk' ? diskGroup(value, zone) : undefined, key === 'store' ? retentionGroup(value['retention'], zone) : undefined]
    if (disk !== undefined) return [disk]
    return [{ title: fieldWords(key), facts: facts(value, '', key === 'limits') }, ...(retention === undefined ? [] : [retention]), ...listGroups(value)]
  })
  return [{ title: 'Server', facts: facts(loose, '', false) }, ...groups].filter((group) => group.facts.length > 0)
}
