/** What the pages show; the contract of the REST API in the words of this page. */
export type Role = 'admin' | 'member' | 'viewer'
export const PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const

export interface Person {
  readonly id: string
  readonly name: string
  readonly role: Role
}

export interface BoardSummary {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly cards: number
}

export interface Column {
  readonly id: string
  readonly name: string
  readonly wipLimit: number | null
}

export interface CardSummary {
  readonly id: string
  readonly columnId: string
  readonly title: string
  readonly labels: readonly string[]
  readonly assignees: readonly Person[]
  /** YYYY-MM-DD */
  readonly due: string | null
  readonly priority: string
  readonly checklistDone: number
  readonly checklistTotal: number
  readonly comments: number
  readonly version: number
}

export interface Rule {
  readonly from: string
  readonly to: string
}

export interface Board {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly columns: readonly Column[]
  /** In the order of columns and positions. */
  readonly cards: readonly CardSummary[]
  readonly people: readonly Person[]
  readonly labels: readonly string[]
  /** The moves that are allowed; none: every move is. */
  readonly rules: readonly Rule[]
}

export interface ChecklistItem {
  readonly text: string
  readonly done: boolean
}

export interface Card extends CardSummary {
  readonly boardId: string
  readonly description: string
  readonly checklist: readonly ChecklistItem[]
  readonly archived: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export interface Comment {
  readonly id: string
  readonly author: Person
  readonly text: string
  readonly at: string
}

export interface Activity {
  readonly at: string
  readonly by: string
  readonly text: string
}

export interface CardPage {
  readonly card: Card
  readonly comments: readonly Comment[]
  readonly activity: readonly Activity[]
}
