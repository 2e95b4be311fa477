import { type JSX, useMemo, useRef, useState } from 'react'
import { Icon } from './icons.tsx'
import { type Column, sortRows, type Sorting } from './sorting.ts'
import { focusNeighbour, useRowKeys } from './use-row-keys.ts'
import './ui.css'

export interface DataTableProps<R> {
  /** Says what the table holds; read out, not shown. */
  readonly caption: string
  readonly columns: readonly Column<R>[]
  readonly rows: readonly R[]
  readonly rowKey: (row: R) => string
  readonly initial: Sorting
  readonly onOpen?: (row: R) => void
}

/** A table that sorts by its heads. Arrow keys go from row to row, Enter opens one; a click anywhere in a row does too. */
export function DataTable<R>(props: DataTableProps<R>): JSX.Element {
  const { caption, columns, rows, rowKey, onOpen } = props
  const [sorting, setSorting] = useState(props.initial)
  const sorted = useMemo(() => sortRows(rows, columns, sorting), [rows, columns, sorting])
  const body = useRef<HTMLTableSectionElement>(null)
  useRowKeys(body, focusNeighbour)
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
        <tbody ref={body}>
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
