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

/** The pairs of a map that was selected as (mapKeys(m), mapValues(m)): as an object of JSON it may lose keys that need an escape. */
export function pairs(value: unknown): [string, unknown][] {
  const [keys, values] = columns(value)
  const each = columns(values)
  return texts(keys).map((key, index) => [key, each[index]])
}

/** A map of text to text that was selected like one for `pairs`; of no prototype, since its keys come from outside. */
export function textRecord(value: unknown): Record<string, string> {
  const record: Record<string, string> = Object.create(null)
  for (const [key, each] of pairs(value)) record[key] = stringOf(each)
  return record
}

/** A map of numbers to numbers. */
export function counts(value: unknown): Map<number, number> {
  return new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}).map(([key, count]) => [Number(key), number(count)]))
}

/** Hex digits of an id of so many; '' for zero, which stands for none. */
export function hexId(cell: unknown, length: number): string {
  const digits = stringOf(cell).padStart(length, '0')
  return /^0+$/.test(digits) ? '' : digits
}

/** The rows of an answer in JSONCompactEachRow. */
export function rowsOf<T>(answer: string, each: (row: readonly unknown[]) => T): T[] {
  const rows: T[] = []
  for (const line of answer.split('\n')) {
    if (line === '') continue
    const row: readonly unknown[] = JSON.parse(line)
    rows.push(each(row))
  }
  return rows
}
