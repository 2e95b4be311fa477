// A board as markdown: one document with front matter for the board, and one with front matter for each card, each
// beginning with a line `---`. Ids are kept, so that a board that is brought back is the same one.
import { parse, stringify } from 'yaml'
import { Refusal } from './refusal.ts'
import type { Card, ChecklistItem, Priority } from './tasks.ts'

export interface BoardDocument {
  readonly name: string
  readonly description: string
  readonly columns: readonly { readonly name: string; readonly wipLimit: number | null }[]
  readonly cards: readonly CardDocument[]
}

export interface CardDocument {
  readonly uuid: string
  readonly title: string
  /** The name of its column. */
  readonly status: string
  readonly priority: Priority
  readonly labels: readonly string[]
  /** Names of people. */
  readonly assignees: readonly string[]
  readonly due: string | null
  readonly archived: boolean
  readonly checklist: readonly ChecklistItem[]
  readonly created_at: string
  readonly body: string
}

const PRIORITIES: readonly Priority[] = ['low', 'medium', 'high', 'urgent']
const MAX_CARDS = 10_000

/** The document of a card as it is stored. */
export function cardDocument(card: Card, status: string): CardDocument {
  return {
    uuid: card.id,
    title: card.title,
    status,
    priority: card.priority,
    labels: card.labels,
    assignees: card.assignees.map(({ name }) => name),
    due: card.due,
    archived: card.archived,
    checklist: card.checklist,
    created_at: card.createdAt,
    body: card.description,
  }
}

/** A line of a body that would read as the end of a document is written with a backslash. */
function guarded(body: string): string {
  return body.replaceAll(/^(\\*---)$/gm, '\\$1')
}

function unguarded(body: string): string {
  return body.replaceAll(/^\\(\\*---)$/gm, '$1')
}

function section(front: object, body: string): string {
  return `---\n${stringify(front, { lineWidth: 0 })}---\n${guarded(body)}\n`
}

/** A board as markdown with YAML front matter. */
export function writeBoard({ name, description, columns, cards }: BoardDocument): string {
  return [section({ board: name, columns }, description), ...cards.map(({ body, ...front }) => section(front, body))].join('')
}

function refuse(problem: string): never {
  throw new Refusal(400, 'bad_document', problem, 'See docs/reference/kanban-api.md for the form of a board.')
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(`${what}: its front matter is no mapping.`)
  return Object.fromEntries(Object.entries(value))
}

function text(value: unknown, what: string, max: number): string {
  if (typeof value !== 'string' || value.length > max) return refuse(`${what} must be text of at most ${max} characters.`)
  return value
}

function list(value: unknown, what: string): readonly unknown[] {
  return value === undefined || value === null ? [] : Array.isArray(value) ? value : refuse(`${what} must be a list.`)
}

/** Front matter and body of each document, in order. */
function sections(markdown: string): { front: unknown; body: string }[] {
  const lines = markdown.replaceAll('\r\n', '\n').split('\n')
  if (lines[0] !== '---') refuse('The document must begin with a line "---".')
  const marks = lines.flatMap((line, index) => (line === '---' ? [index] : []))
  if (marks.length % 2 !== 0) refuse('Each front matter stands between two lines "---".')
  const found: { front: unknown; body: string }[] = []
  for (let index = 0; index < marks.length; index += 2) {
    const [open = 0, close = 0] = [marks[index], marks[index + 1]]
    // The last newline before the next mark belongs to the form, not to the body.
    const end = marks[index + 2] ?? lines.length - (lines.at(-1) === '' ? 1 : 0)
    found.push({ front: yaml(lines.slice(open + 1, close).join('\n'), index / 2 + 1), body: unguarded(lines.slice(close + 1, end).join('\n')) })
  }
  return found
}

function yaml(source: string, number: number): unknown {
  try {
    return parse(source, { maxAliasCount: 0 })
  } catch (error) {
    return refuse(`Document ${number}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'its front matter is no YAML'}`)
  }
}

function checklistOf(value: unknown, what: string): ChecklistItem[] {
  return list(value, `${what}: checklist`).map((item) => {
    const { text: label, done } = record(item, what)
    return { text: text(label, `${what}: an item of the checklist`, 500), done: done === true }
  })
}

function readCard({ front, body }: { front: unknown; body: string }, index: number): CardDocument {
  const what = `Card ${index + 1}`
  const card = record(front, what)
  const uuid = text(card['uuid'], `${what}: uuid`, 36)
  if (!/^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(uuid)) refuse(`${what}: uuid is no UUID.`)
  const due = card['due'] === undefined || card['due'] === null ? null : text(card['due'], `${what}: due`, 10)
  if (due !== null && (!/^\d{4}-\d{2}-\d{2}$/.test(due) || Number.isNaN(Date.parse(due)))) refuse(`${what}: due must be YYYY-MM-DD.`)
  return {
    uuid,
    title: text(card['title'], `${what}: title`, 200),
    status: text(card['status'], `${what}: status`, 60),
    priority: PRIORITIES.find((each) => each === card['priority']) ?? 'medium',
    labels: list(card['labels'] ?? card['tags'], `${what}: labels`).map((label) => text(label, `${what}: a label`, 40)),
    assignees: list(card['assignees'], `${what}: assignees`).map((name) => text(name, `${what}: an assignee`, 60)),
    due,
    archived: card['archived'] === true,
    checklist: checklistOf(card['checklist'], what),
    created_at: typeof card['created_at'] === 'string' ? card['created_at'] : '',
    body: text(body, `${what}: its text`, 50_000),
  }
}

/** Reads what writeBoard wrote. @throws Refusal bad_document naming what is wrong where */
export function readBoard(markdown: string): BoardDocument {
  const [first, ...rest] = sections(markdown)
  if (first === undefined || rest.length > MAX_CARDS) return refuse(`A board has at most ${MAX_CARDS} cards.`)
  const board = record(first.front, 'The board')
  const columns = list(board['columns'], 'columns').map((column) => {
    const { name, wipLimit } = record(column, 'A column')
    return { name: text(name, 'The name of a column', 60), wipLimit: typeof wipLimit === 'number' && Number.isInteger(wipLimit) && wipLimit > 0 ? wipLimit : null }
  })
  const cards = rest.map(readCard)
  // A status that is no column becomes one.
  for (const { status } of cards) if (!columns.some(({ name }) => name === status)) columns.push({ name: status, wipLimit: null })
  if (columns.length > 50) refuse('A board has at most 50 columns.')
  return { name: text(board['board'], 'board', 100), description: first.body, columns, cards }
}
