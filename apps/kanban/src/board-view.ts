// A whole board: as its page loads it, and as a document that it is exported to and imported from.
import type { Accounts, Person } from './accounts.ts'
import type { BoardSummary, Boards, Column, Rule } from './boards.ts'
import { Refusal } from './refusal.ts'
import type { CardSummary, Tasks } from './tasks.ts'
import { cardDocument, readBoard, writeBoard } from './transfer.ts'

export interface BoardView {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly columns: readonly Column[]
  readonly cards: readonly CardSummary[]
  readonly people: readonly Person[]
  readonly labels: readonly string[]
  readonly rules: readonly Rule[]
}

export interface Parts {
  readonly accounts: Accounts
  readonly boards: Boards
  readonly tasks: Tasks
}

/** Everything that the page of a board shows at once. */
export async function viewBoard({ accounts, boards, tasks }: Parts, id: string): Promise<BoardView> {
  const { name, description } = await boards.summary(id)
  const [columns, cards, people, labels, rules] = await Promise.all([boards.columns(id), tasks.ofBoard(id), accounts.people(), tasks.labels(id), boards.rules(id)])
  return { id, name, description, columns, cards, people, labels, rules }
}

export async function exportBoard({ boards, tasks }: Parts, id: string): Promise<string> {
  const { name, description } = await boards.summary(id)
  const columns = await boards.columns(id)
  const names = new Map(columns.map((column) => [column.id, column.name]))
  const cards = (await tasks.whole(id)).flatMap((card) => {
    const status = names.get(card.columnId)
    return status === undefined ? [] : [cardDocument(card, status)]
  })
  return writeBoard({ name, description, columns: columns.map((column) => ({ name: column.name, wipLimit: column.wipLimit })), cards })
}

/**
 * Makes a board of a document. Its cards keep their ids.
 *
 * @throws Refusal bad_document, or exists when a card of it is here already
 */
export async function importBoard({ accounts, boards, tasks }: Parts, markdown: string, by: string): Promise<BoardSummary> {
  const document = readBoard(markdown)
  const people = new Map((await accounts.people()).map(({ name, id }) => [name, id]))
  // Limits come last, so that a board that is over one is brought in as it was.
  const board = await boards.create(document.name, document.description, document.columns.map(({ name }) => ({ name, wipLimit: null })))
  const columns = await boards.columns(board.id)
  try {
    for (const { uuid, status, assignees, body, archived, labels, checklist, title, due, priority } of document.cards) {
      const columnId = columns.find(({ name }) => name === status)?.id ?? ''
      const ids = assignees.flatMap((name) => people.get(name) ?? [])
      const card = await tasks.create(board.id, { id: uuid, columnId, title, labels, checklist, due, priority, description: body, assignees: ids }, by)
      if (archived) await tasks.change(card.id, card.version, { archived: true }, by)
    }
    for (const [index, { wipLimit }] of document.columns.entries()) {
      const column = columns[index]
      if (column !== undefined && wipLimit !== null) await boards.changeColumn(column.id, { wipLimit })
    }
  } catch (error) {
    await boards.change(board.id, { archived: true })
    if (error instanceof Error && Reflect.get(error, 'code') === '23505') throw new Refusal(409, 'exists', 'A card of this document is here already.', 'Delete it first, or give it another uuid.')
    throw error
  }
  return await boards.summary(board.id)
}
