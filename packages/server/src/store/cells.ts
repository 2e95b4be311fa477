// Cells of an answered row, which arrive as what JSON makes of them.

/** A cell as text; of what is not text, its shortest text. */
export function stringOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === null || value === undefined ? '' : JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each))
}

/** A cell as a number: also of 64-bit integers and of "nan", "inf", "-inf", which come as text. */
export function number(value: unknown): number {
  if (value === 'inf') return Infinity
  return value === '-inf' ? -Infinity : Number(value)
}

/** An array or tuple. */
export function columns(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function texts(value: unknown): string[] {
  return columns(value).map(stringOf)
}

export function numbers(value: unknown): number[] {
  return columns(value).map(number)
}

/** The pairs of a map. */
export function pairs(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : []
}
