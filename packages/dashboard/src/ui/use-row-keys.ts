import { type RefObject, useEffect } from 'react'

/**
 * Arrow keys in a list of rows: from the row that holds the focus to the one after or before it.
 *
 * @param rows - the element around the rows
 * @param focusRow - focuses the row `step` after the given one, which holds the focus now
 */
export function useRowKeys(rows: RefObject<HTMLElement | null>, focusRow: (row: HTMLElement, step: 1 | -1) => void): void {
  useEffect(() => {
    const element = rows.current
    if (element === null) return
    const onKeyDown = (event: KeyboardEvent): void => {
      const row = document.activeElement?.closest<HTMLElement>('tr, [role="row"]')
      if ((event.key !== 'ArrowDown' && event.key !== 'ArrowUp') || row === null || row === undefined) return
      event.preventDefault()
      focusRow(row, event.key === 'ArrowDown' ? 1 : -1)
    }
    element.addEventListener('keydown', onKeyDown)
    return () => element.removeEventListener('keydown', onKeyDown)
  }, [rows, focusRow])
}

/** For rows that are all in the page: focuses the first link or button of the neighbour. */
export function focusNeighbour(row: HTMLElement, step: 1 | -1): void {
  const next = step === 1 ? row.nextElementSibling : row.previousElementSibling
  next?.querySelector<HTMLElement>('a, button')?.focus()
}
