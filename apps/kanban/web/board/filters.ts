import type { CardSummary } from '../api/model.ts'

/** What of a board is shown; kept in the query of the address, so that it can be sent to someone. */
export interface Filters {
  readonly text: string
  readonly label: string
  readonly assignee: string
  readonly priority: string
  /** overdue | week | none | '' */
  readonly due: string
}

const WEEK_DAYS = 7
const DAY_MS = 86_400_000

export function filtersOf(address: string): Filters {
  const query = new URL(address, 'http://page').searchParams
  const of = (name: string): string => query.get(name) ?? ''
  return { text: of('q'), label: of('label'), assignee: of('assignee'), priority: of('priority'), due: of('due') }
}

export const isFiltering = (filters: Filters): boolean => Object.values(filters).some((value) => value !== '')

/** A day of the calendar here, as YYYY-MM-DD. */
export function dayOf(time: number): string {
  const date = new Date(time)
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`
}

function isDue(due: string | null, wanted: string, now: number): boolean {
  switch (wanted) {
    case '': return true
    case 'none': return due === null
    case 'overdue': return due !== null && due < dayOf(now)
    default: return due !== null && due <= dayOf(now + WEEK_DAYS * DAY_MS)
  }
}

/** The cards that pass; every word of the text must occur in the title, a label or the number. */
export function select(cards: readonly CardSummary[], filters: Filters, now: number): readonly CardSummary[] {
  if (!isFiltering(filters)) return cards
  const words = filters.text.toLowerCase().split(/\s+/).filter((word) => word !== '')
  return cards.filter((card) => {
    const text = `${card.title} ${card.labels.join(' ')}`.toLowerCase()
    return (
      words.every((word) => text.includes(word)) &&
      (filters.label === '' || card.labels.includes(filters.label)) &&
      (filters.assignee === '' || (filters.assignee === 'nobody' ? card.assignees.length === 0 : card.assignees.some((person) => person.id === filters.assignee))) &&
      (filters.priority === '' || card.priority === filters.priority) &&
      isDue(card.due, filters.due, now)
    )
  })
}
