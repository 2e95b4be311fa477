import type { ReactNode } from 'react'

/** One column. Without `order` it cannot be sorted. */
export interface Column<R> {
  readonly key: string
  readonly header: string
  readonly cell: (row: R) => ReactNode
  /** What is compared; null sorts last in both directions. */
  readonly order?: (row: R) => number | string | null
  readonly align?: 'end'
  /** Left out on narrow screens. */
  readonly minor?: boolean
  readonly width?: string
}

export interface Sorting {
  readonly key: string
  readonly down: boolean
}

/**
 * Rows in the order of a column; equal ones keep their order.
 *
 * @param rows - not modified
 */
export function sortRows<R>(rows: readonly R[], columns: readonly Column<R>[], sorting: Sorting): R[] {
  const order = columns.find((column) => column.key === sorting.key)?.order
  if (order === undefined) return [...rows]
  const sign = sorting.down ? -1 : 1
  return rows.toSorted((a, b) => {
    const [one, two] = [order(a), order(b)]
    if (one === null || two === null) return one === two ? 0 : one === null ? 1 : -1
    return typeof one === 'string' ? sign * one.localeCompare(String(two)) : sign * (one - Number(two))
  })
}
