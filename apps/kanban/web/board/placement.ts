/** Where a card stands, as far as moving is concerned. Cards of one column stand in the order of the list. */
export interface Placed {
  readonly id: string
  readonly columnId: string
}

/** A place for a card: before another one, or at the end of the column (null). */
export interface Target {
  readonly columnId: string
  readonly before: string | null
}

export type Direction = 'left' | 'right' | 'up' | 'down'

/** The cards of a column in their order. */
export function cardsOf<C extends Placed>(cards: readonly C[], columnId: string): C[] {
  return cards.filter((card) => card.columnId === columnId)
}

/** Where a card stands now. */
export function placeOf(cards: readonly Placed[], id: string): Target | null {
  const card = cards.find((one) => one.id === id)
  if (card === undefined) return null
  const column = cardsOf(cards, card.columnId)
  return { columnId: card.columnId, before: column[column.indexOf(card) + 1]?.id ?? null }
}

/** The list after a card went to its target; the same list when the card or the place is gone. */
export function place<C extends Placed>(cards: readonly C[], id: string, target: Target): readonly C[] {
  const card = cards.find((one) => one.id === id)
  if (card === undefined || target.before === id) return cards
  const others = cards.filter((one) => one.id !== id)
  const at = target.before === null ? -1 : others.findIndex((one) => one.id === target.before)
  const moved = { ...card, columnId: target.columnId }
  return at === -1 ? [...others, moved] : [...others.slice(0, at), moved, ...others.slice(at)]
}

/**
 * One step of the keyboard with a lifted card.
 *
 * @param cards - the visible cards, with the lifted one where it is now
 * @param columns - ids of the columns from left to right
 * @returns the next place; null when there is none in this direction
 */
export function step(cards: readonly Placed[], columns: readonly string[], id: string, direction: Direction): Target | null {
  const card = cards.find((one) => one.id === id)
  if (card === undefined) return null
  const own = cardsOf(cards, card.columnId)
  const at = own.findIndex((one) => one.id === id)
  if (direction === 'up') return at === 0 ? null : { columnId: card.columnId, before: own[at - 1]?.id ?? null }
  if (direction === 'down') return at === own.length - 1 ? null : { columnId: card.columnId, before: own[at + 2]?.id ?? null }
  const columnId = columns[columns.indexOf(card.columnId) + (direction === 'left' ? -1 : 1)]
  if (columnId === undefined) return null
  return { columnId, before: cardsOf(cards, columnId)[at]?.id ?? null }
}

/** The card that the focus goes to from another one. */
export function neighbour(cards: readonly Placed[], columns: readonly string[], id: string, direction: Direction): string | null {
  const card = cards.find((one) => one.id === id)
  if (card === undefined) return null
  const own = cardsOf(cards, card.columnId)
  const at = own.findIndex((one) => one.id === id)
  if (direction === 'up' || direction === 'down') return own[at + (direction === 'up' ? -1 : 1)]?.id ?? null
  const sideways = direction === 'left' ? columns.slice(0, columns.indexOf(card.columnId)).toReversed() : columns.slice(columns.indexOf(card.columnId) + 1)
  for (const columnId of sideways) {
    const there = cardsOf(cards, columnId)
    const found = there[at] ?? there.at(-1)
    if (found !== undefined) return found.id
  }
  return null
}

/** The cards of each column in their order. */
export function byColumn<C extends Placed>(cards: readonly C[]): ReadonlyMap<string, readonly C[]> {
  const columns = new Map<string, C[]>()
  for (const card of cards) {
    const own = columns.get(card.columnId)
    if (own === undefined) columns.set(card.columnId, [card])
    else own.push(card)
  }
  return columns
}
