// What a new kanban begins with: three people and a board, for trying it out on this machine.
import type { Accounts } from './accounts.ts'
import type { Boards } from './boards.ts'
import type { Tasks } from './tasks.ts'

/** The demonstration's people. Their passwords are known to everyone: for loopback only. */
export const DEMO_PEOPLE = [
  { name: 'demo', password: 'demo', role: 'admin' },
  { name: 'ada', password: 'ada-lovelace', role: 'member' },
  { name: 'vera', password: 'vera-viewer', role: 'viewer' },
] as const

const CARDS = [
  { title: 'Find out why checkout is slow', labels: ['performance'], priority: 'urgent', column: 0, description: 'Customers wait **3 s** at the last step. Look at its trace in Andon first.' },
  { title: 'Add an index for orders by customer', labels: ['database', 'performance'], priority: 'high', column: 0, description: 'The statement reads every row.' },
  { title: 'Show the delivery date in the basket', labels: ['feature'], priority: 'medium', column: 0, description: '' },
  { title: 'Move sessions out of memory', labels: ['memory'], priority: 'high', column: 1, description: 'The heap grows by 20 MB an hour.' },
  { title: 'Write the release notes', labels: ['docs'], priority: 'low', column: 1, description: '- new search\n- faster boards' },
  { title: 'Agree on an error budget', labels: ['slo'], priority: 'medium', column: 2, description: '99.9 % of requests in 500 ms.' },
] as const

/** Fills an empty kanban; does nothing when it has people already. */
export async function seed(accounts: Accounts, boards: Boards, tasks: Tasks): Promise<void> {
  if ((await accounts.people()).length > 0) return
  const people = []
  for (const { name, password, role } of DEMO_PEOPLE) people.push(await accounts.create(name, password, role))
  const board = await boards.create('Web shop', 'The team that keeps the shop running.')
  const columns = await boards.columns(board.id)
  for (const [index, { column, ...card }] of CARDS.entries()) {
    const assignee = people[index % 2]?.id
    await tasks.create(board.id, { ...card, labels: [...card.labels], columnId: columns[column]?.id ?? '', assignees: assignee === undefined ? [] : [assignee], checklist: index === 0 ? [{ text: 'Open the trace', done: true }, { text: 'Name the statement', done: false }] : [] }, 'demo')
  }
}
