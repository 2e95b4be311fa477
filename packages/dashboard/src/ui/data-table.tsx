import { type JSX, type KeyboardEvent, type ReactNode, useMemo, useState } from 'react'
import { Icon } from './icons.tsx'
import './ui.css'

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

export interface DataTableProps<R> {
  /** Says what the table holds; read out, not shown. */
  readonly caption: string
  readonly columns: readonly Column<R>[]
  readonly rows: readonly R[]
  readonly rowKey: (row: R) => string
  readonly initial: Sorting
  readonly onOpen?: (row: R) => void
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

/** A table that sorts by its heads. Arrow keys go from row to row, Enter opens one; a click anywhere in a row does too. */
export function DataTable<R>(props: DataTableProps<R>): JSX.Element {
  const { caption, columns, rows, rowKey, onOpen } = props
  const [sorting, setSorting] = useState(props.initial)
  const sorted = useMemo(() => sortRows(rows, columns, sorting), [rows, columns, sorting])
  const onKeyDown = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
    const row = document.activeElement?.closest('tr')
    if (row === null || row === undefined) return
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key]
    const target = next?.querySelector<HTMLElement>('a, button') ?? null
    if (target === null) return
    event.preventDefault()
    target.focus()
  }
  return (
    <section className="table-scroll" aria-label={caption}>
      <table className="table">
        <caption className="sr">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sorting={sorting} onSort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={onKeyDown}>
          {sorted.map((row) => (
            <tr
              key={rowKey(row)}
              className={onOpen === undefined ? '' : 'opens'}
              onClick={(event) => {
                if (event.target instanceof Element && event.target.closest('a, button') === null) onOpen?.(row)
              }}
            >
              {columns.map((column) => (
                <td key={column.key} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const cellClass = <R,>(column: Column<R>): string => `${column.align === 'end' ? 'end' : ''} ${column.minor === true ? 'minor' : ''}`

function HeadCell<R>(props: { readonly column: Column<R>; readonly sorting: Sorting; readonly onSort: (sorting: Sorting) => void }): JSX.Element {
  const { column, sorting, onSort } = props
  const mine = sorting.key === column.key
  const style = column.width === undefined ? {} : { width: column.width }
  if (column.order === undefined) {
    return (
      <th scope="col" className={cellClass(column)} style={style}>
        {column.header}
      </th>
    )
  }
  return (
    <th scope="col" className={cellClass(column)} style={style} aria-sort={mine ? (sorting.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" className={mine ? 'sort on' : 'sort'} onClick={() => onSort({ key: column.key, down: mine ? !sorting.down : true })}>
        {column.header}
        <Icon name={mine && !sorting.down ? 'up' : 'down'} size={12} />
      </button>
    </th>
  )
}
