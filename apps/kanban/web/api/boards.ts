import { useMutation, type UseMutationResult, useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query'
import { request, requestText } from './http.ts'
import type { Activity, Board, BoardSummary, CardPage } from './model.ts'

export const boardKey = (id: string): readonly string[] => ['board', id]
export const cardKey = (id: string): readonly string[] => ['card', id]
const BOARDS = ['boards']

export function useBoards(): UseQueryResult<readonly BoardSummary[]> {
  return useQuery({ queryKey: BOARDS, queryFn: async () => (await request<{ boards: BoardSummary[] }>('GET', '/api/boards')).boards })
}

export function useBoard(id: string): UseQueryResult<Board> {
  return useQuery({ queryKey: boardKey(id), queryFn: async () => (await request<{ board: Board }>('GET', `/api/boards/${encodeURIComponent(id)}`)).board })
}

export function useCard(id: string): UseQueryResult<CardPage> {
  return useQuery({ queryKey: cardKey(id), queryFn: () => request<CardPage>('GET', `/api/tasks/${encodeURIComponent(id)}`) })
}

export function useBoardActivity(id: string): UseQueryResult<readonly Activity[]> {
  return useQuery({ queryKey: ['activity', id], queryFn: async () => (await request<{ activity: Activity[] }>('GET', `/api/boards/${encodeURIComponent(id)}/activity`)).activity })
}

/** A new board: an empty one by its name, or one read from markdown. */
export function useCreateBoard(): UseMutationResult<BoardSummary, Error, { name: string } | { markdown: string }> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (from: { name: string } | { markdown: string }) => {
      const answer = 'name' in from ? request<{ board: BoardSummary }>('POST', '/api/boards', from) : request<{ board: BoardSummary }>('POST', '/api/boards/import', from.markdown, 'text/markdown')
      return (await answer).board
    },
    onSuccess: () => client.invalidateQueries({ queryKey: BOARDS }),
  })
}

/** Changes the board itself; an archived one leaves the list. */
export function useChangeBoard(id: string): UseMutationResult<unknown, Error, { name?: string; description?: string; archived?: boolean }> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (change: { name?: string; description?: string; archived?: boolean }) => request('PATCH', `/api/boards/${encodeURIComponent(id)}`, change),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: BOARDS }), client.invalidateQueries({ queryKey: boardKey(id) })]),
  })
}

/** Hands the board to the browser as a markdown file. */
export async function downloadBoard(id: string, name: string): Promise<void> {
  const text = await requestText(`/api/boards/${encodeURIComponent(id)}/export`)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/markdown' }))
  link.download = `${name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').toLowerCase()}.md`
  link.click()
  URL.revokeObjectURL(link.href)
}
