import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import type { CardSummary, Column } from '../api/model.ts'
import { cardsOf, type Direction, neighbour, place, placeOf, step, type Target } from './placement.ts'

interface Lifted {
  readonly id: string
  readonly from: Target
  readonly to: Target
}

interface Options {
  /** The visible cards. */
  readonly cards: readonly CardSummary[]
  readonly columns: readonly Column[]
  readonly canMove: boolean
  readonly onOpen: (id: string) => void
  readonly onDrop: (id: string, target: Target) => void
}

interface Keyboard {
  readonly liftedId: string | null
  /** The visible cards with the lifted one where it would land. */
  readonly cards: readonly CardSummary[]
  /** What a screen reader is told. */
  readonly spoken: string
  readonly onKeyDown: (event: KeyboardEvent) => void
  readonly onKeyUp: (event: KeyboardEvent) => void
}

const DIRECTIONS: Readonly<Record<string, Direction>> = { ArrowLeft: 'left', ArrowRight: 'right', ArrowUp: 'up', ArrowDown: 'down' }
const isAct = (key: string): boolean => key === ' ' || key === 'Enter'
const cardIdOf = (target: EventTarget): string | null => (target instanceof Element ? (target.closest<HTMLElement>('[data-card]')?.dataset['card'] ?? null) : null)

/** Firefox presses a button when the space bar comes up. */
function onKeyUp(event: KeyboardEvent): void {
  if (event.key === ' ' && cardIdOf(event.target) !== null) event.preventDefault()
}

function focusCard(id: string): void {
  const element = document.querySelector<HTMLElement>(`[data-card="${CSS.escape(id)}"]`)
  element?.focus()
  element?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
}

/** Moving cards without a mouse: Space or Enter lifts and drops, arrows move, Escape puts back. */
export function useKeyboard({ cards, columns, canMove, onOpen, onDrop }: Options): Keyboard {
  const [lifted, setLifted] = useState<Lifted | null>(null)
  const [spoken, setSpoken] = useState('')
  const focusNext = useRef<string | null>(null)
  const shown = lifted === null ? cards : place(cards, lifted.id, lifted.to)
  const ids = columns.map((column) => column.id)

  // A card that changes its column is another element: the focus follows it.
  useEffect(() => {
    if (focusNext.current === null) return
    focusCard(focusNext.current)
    focusNext.current = null
  })

  const say = (id: string, at: readonly CardSummary[], prefix: string, suffix: string): void => {
    const card = at.find((one) => one.id === id)
    if (card === undefined) return
    const own = cardsOf(at, card.columnId)
    const column = columns.find((one) => one.id === card.columnId)
    setSpoken(`${prefix} ${card.title}: ${column?.name ?? ''}, position ${own.indexOf(card) + 1} of ${own.length}. ${suffix}`)
  }

  const lift = (id: string): void => {
    const from = placeOf(cards, id)
    if (from === null) return
    setLifted({ id, from, to: from })
    say(id, cards, 'Lifted', 'Arrows move it, Space drops it, Escape puts it back.')
  }
  const drop = (now: Lifted): void => {
    focusNext.current = now.id
    setLifted(null)
    say(now.id, shown, 'Dropped', '')
    if (now.to.columnId !== now.from.columnId || now.to.before !== now.from.before) onDrop(now.id, now.to)
  }
  const cancel = (now: Lifted): void => {
    focusNext.current = now.id
    setLifted(null)
    say(now.id, cards, 'Put back', '')
  }
  const move = (now: Lifted, direction: Direction): void => {
    const to = step(shown, ids, now.id, direction)
    if (to === null) return setSpoken('There is no place further in this direction.')
    focusNext.current = now.id
    setLifted({ ...now, to })
    say(now.id, place(cards, now.id, to), 'Moved', '')
  }

  /** @returns whether the key was a command */
  const whileLifted = (event: KeyboardEvent, now: Lifted): boolean => {
    const direction = DIRECTIONS[event.key]
    if (direction !== undefined) move(now, direction)
    else if (isAct(event.key)) drop(now)
    else if (event.key === 'Escape' || event.key === 'Tab') cancel(now)
    else return false
    return true
  }
  const whileWalking = (event: KeyboardEvent, id: string): boolean => {
    const direction = DIRECTIONS[event.key]
    if (direction !== undefined) focusCard(neighbour(cards, ids, id, direction) ?? id)
    else if (event.key === 'o' || (event.key === 'Enter' && !canMove)) onOpen(id)
    else if (isAct(event.key) && canMove) lift(id)
    else return false
    return true
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const id = cardIdOf(event.target)
    if (id === null || event.metaKey || event.ctrlKey || event.altKey) return
    if (lifted === null ? whileWalking(event, id) : whileLifted(event, lifted)) event.preventDefault()
  }
  return { liftedId: lifted?.id ?? null, cards: shown, spoken, onKeyDown, onKeyUp }
}
