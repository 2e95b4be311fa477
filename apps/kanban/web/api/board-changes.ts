import { useQueryClient } from '@tanstack/react-query'
import { toast } from '../shell/toasts.tsx'
import { boardKey } from './boards.ts'
import { request, sayError } from './http.ts'
import type { Board, Column, Rule } from './model.ts'

interface ColumnChanges {
  readonly create: (name: string) => void
  readonly change: (column: Column, to: { name: string; wipLimit: number | null }) => void
  /** @param to - the index among the columns, from 0 */
  readonly move: (column: Column, to: number) => void
  readonly archive: (column: Column) => void
  readonly setRules: (rules: readonly Rule[]) => void
}

const patch = (id: string, body: object): Promise<unknown> => request('PATCH', `/api/columns/${encodeURIComponent(id)}`, body)

/** Changes of the board itself: shown at once, taken back when the server refuses. */
export function useColumnChanges(boardId: string): ColumnChanges {
  const client = useQueryClient()
  const key = boardKey(boardId)
  const run = (expected: (board: Board) => Board, work: () => Promise<unknown>, done: string): void => {
    const before = client.getQueryData<Board>(key)
    const apply = async (): Promise<void> => {
      await client.cancelQueries({ queryKey: key })
      if (before !== undefined) client.setQueryData(key, expected(before))
      try {
        await work()
        if (done !== '') toast(done)
      } catch (error) {
        client.setQueryData(key, before)
        toast(sayError(error), 'bad')
      }
      await client.invalidateQueries({ queryKey: key })
    }
    void apply()
  }
  const board = `/api/boards/${encodeURIComponent(boardId)}`
  return {
    create: (name) => run((old) => old, () => request('POST', `${board}/columns`, { name }), ''),
    change: (column, to) =>
      run((old) => ({ ...old, columns: old.columns.map((one) => (one.id === column.id ? { ...one, ...to } : one)) }), () => patch(column.id, to), ''),
    move: (column, to) => {
      const others = (client.getQueryData<Board>(key)?.columns ?? []).filter((one) => one.id !== column.id)
      run((old) => ({ ...old, columns: [...others.slice(0, to), column, ...others.slice(to)] }), () => patch(column.id, { before: others[to]?.id ?? null }), '')
    },
    archive: (column) =>
      run((old) => ({ ...old, columns: old.columns.filter((one) => one.id !== column.id) }), () => patch(column.id, { archived: true }), `“${column.name}” is archived.`),
    setRules: (rules) => run((old) => ({ ...old, rules }), () => request('PUT', `${board}/rules`, { rules }), 'The rules are saved.'),
  }
}
