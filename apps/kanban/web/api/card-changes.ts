import { useMutation, type UseMutationResult, useQueryClient } from '@tanstack/react-query'
import { place, type Target } from '../board/placement.ts'
import { toast } from '../shell/toasts.tsx'
import { boardKey, cardKey } from './boards.ts'
import { ApiError, request, sayError } from './http.ts'
import type { Board, Card, CardPage, CardSummary, ChecklistItem, Comment } from './model.ts'

export interface CardEdit {
  readonly title?: string
  readonly description?: string
  readonly labels?: readonly string[]
  /** Ids of people. */
  readonly assignees?: readonly string[]
  readonly due?: string | null
  readonly priority?: string
  readonly checklist?: readonly ChecklistItem[]
  readonly archived?: boolean
}

export function useCreateCard(boardId: string): UseMutationResult<Card, Error, { columnId: string; title: string }> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (card: { columnId: string; title: string }) => (await request<{ card: Card }>('POST', `/api/boards/${encodeURIComponent(boardId)}/tasks`, card)).card,
    onSuccess: (card) => {
      client.setQueryData<Board>(boardKey(boardId), (old) => (old === undefined || old.cards.some((one) => one.id === card.id) ? old : { ...old, cards: [...old.cards, card] }))
      return client.invalidateQueries({ queryKey: boardKey(boardId) })
    },
  })
}

/** Why a move was refused, in a sentence. */
export function sayRefusal(error: unknown, title: string): string {
  if (!(error instanceof ApiError) || error.status !== 409) return sayError(error)
  const { details } = error
  switch (error.code) {
    case 'wip_limit': return `“${title}” stays: the column is full (work-in-progress limit ${String(details['limit'])}).`
    case 'transition_not_allowed': return `“${title}” stays: the rules of this board allow no move from ${String(details['from'])} to ${String(details['to'])}.`
    case 'stale_version': return `“${title}” was changed by someone else meanwhile. What you see now is their version.`
    default: return sayError(error)
  }
}

/** Moves cards: shown at once, put back with the rule that refused. */
export function useMoveCard(boardId: string): (card: CardSummary, target: Target) => void {
  const client = useQueryClient()
  const key = boardKey(boardId)
  const mutation = useMutation({
    mutationFn: ({ card, target }: { card: CardSummary; target: Target }) =>
      request<{ card: Card }>('POST', `/api/tasks/${encodeURIComponent(card.id)}/move`, { columnId: target.columnId, before: target.before, version: card.version }),
    onMutate: async ({ card, target }) => {
      await client.cancelQueries({ queryKey: key })
      const before = client.getQueryData<Board>(key)
      if (before !== undefined) client.setQueryData<Board>(key, { ...before, cards: place(before.cards, card.id, target) })
      return { before }
    },
    onError: (error, { card }, context) => {
      client.setQueryData(key, context?.before)
      toast(sayRefusal(error, card.title), 'bad')
    },
    onSuccess: ({ card }) => client.setQueryData<Board>(key, (old) => old && { ...old, cards: old.cards.map((one) => (one.id === card.id ? { ...one, version: card.version } : one)) }),
    onSettled: (_answer, _error, { card }) => Promise.all([client.invalidateQueries({ queryKey: key }), client.invalidateQueries({ queryKey: cardKey(card.id) })]),
  })
  return (card, target) => mutation.mutate({ card, target })
}

/** The card as the edit will leave it. */
function edited(card: Card, { assignees, ...edit }: CardEdit, people: Board['people']): Card {
  return { ...card, ...edit, ...(assignees === undefined ? {} : { assignees: people.filter((person) => assignees.includes(person.id)) }) }
}

/** Changes of an open card, shown at once. A version that is no longer the newest is refused, and the newest is shown instead. */
export function useEditCard(cardId: string): (edit: CardEdit, done?: string) => void {
  const client = useQueryClient()
  const key = cardKey(cardId)
  const mutationKey = ['edit', cardId]
  const mutation = useMutation({
    mutationKey,
    // One after the other: each needs the version that the one before it made.
    scope: { id: `card ${cardId}` },
    mutationFn: ({ edit }: { edit: CardEdit; done: string }) =>
      request<{ card: Card }>('PATCH', `/api/tasks/${encodeURIComponent(cardId)}`, { version: client.getQueryData<CardPage>(key)?.card.version, ...edit }),
    onSuccess: ({ card }, { done }) => {
      // While another change waits, what is shown has it already: only the version is news.
      const isLast = client.isMutating({ mutationKey }) <= 1
      client.setQueryData<CardPage>(key, (old) => old && { ...old, card: isLast ? card : { ...old.card, version: card.version } })
      if (done !== '') toast(done)
    },
    onError: (error) => toast(sayRefusal(error, client.getQueryData<CardPage>(key)?.card.title ?? 'The card'), 'bad'),
    onSettled: () => {
      if (client.isMutating({ mutationKey }) > 1) return undefined
      return Promise.all([client.invalidateQueries({ queryKey: key }), client.invalidateQueries({ queryKey: ['board'] })])
    },
  })
  return (edit, done = '') => {
    // At once and not in onMutate, which runs later: a box that was ticked must not blink.
    void client.cancelQueries({ queryKey: key })
    client.setQueryData<CardPage>(key, (old) => old && { ...old, card: edited(old.card, edit, client.getQueryData<Board>(boardKey(old.card.boardId))?.people ?? []) })
    mutation.mutate({ edit, done })
  }
}

/** Deletes an archived card for good. */
export function useDeleteCard(cardId: string): UseMutationResult<unknown, Error, void> {
  return useMutation({
    mutationFn: () => request('DELETE', `/api/tasks/${encodeURIComponent(cardId)}`),
    onSuccess: () => toast('The card is deleted.'),
    onError: (error) => toast(sayError(error), 'bad'),
  })
}

export function useAddComment(cardId: string): UseMutationResult<{ comment: Comment }, Error, string> {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (text: string) => request<{ comment: Comment }>('POST', `/api/tasks/${encodeURIComponent(cardId)}/comments`, { text }),
    onError: (error) => toast(sayError(error), 'bad'),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: cardKey(cardId) }), client.invalidateQueries({ queryKey: ['board'] })]),
  })
}
