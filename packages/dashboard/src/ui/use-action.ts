import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { type NoticeAction, notices } from './notices.ts'

/** Something a person does to the server. */
export interface ActionPlan<A> {
  readonly run: (input: A) => Promise<unknown>
  /** The routes whose answers it changes: a path matches when it is one of them, or lies below one. */
  readonly routes: readonly string[]
  /** An answer as it will be when it is done; shown at once, taken back when the server refuses. Undefined leaves it alone. */
  readonly guess?: (input: A, path: string, body: unknown) => unknown
  /** What is said when it is done, with what the server answered; undefined says nothing. */
  readonly done?: (input: A, answer: unknown) => { readonly text: string; readonly undo?: () => void } | undefined
  /** What was wanted, for the notice of a failure, such as `The silence was not created`. */
  readonly failed: string
}

/** What an action is doing. */
export interface Action<A> {
  /** @returns whether it was done; its failure has been said then. */
  readonly run: (input: A) => Promise<boolean>
  readonly busy: boolean
}

const pathOf = (key: readonly unknown[]): string => (typeof key[1] === 'string' ? key[1] : '')

/** True when `path` is one of the routes or lies below one. */
export function touches(path: string, routes: readonly string[]): boolean {
  const route = path.split('?')[0] ?? ''
  return routes.some((one) => route === one || route.startsWith(`${one}/`))
}

interface Told {
  readonly message: string
  readonly hint: string
}

function told(error: unknown): Told {
  const message = error instanceof Error ? error.message : String(error)
  const hint: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'hint') : undefined
  return { message, hint: typeof hint === 'string' ? hint : '' }
}

/** Shows what the answers will be. @returns how to take it back */
function guessed<A>(client: QueryClient, plan: ActionPlan<A>, input: A): () => void {
  const { guess } = plan
  if (guess === undefined) return () => {}
  const before = client.getQueriesData({ predicate: ({ queryKey }) => touches(pathOf(queryKey), plan.routes) })
  for (const [key, body] of before) {
    const next = body === undefined ? undefined : guess(input, pathOf(key), body)
    if (next !== undefined) client.setQueryData(key, next)
  }
  return () => {
    for (const [key, body] of before) client.setQueryData(key, body)
  }
}

/** An action with its optimistic answer, its notice with an undo, and its failure said. */
export function useAction<A>(plan: ActionPlan<A>): Action<A> {
  const client = useQueryClient()
  const current = useRef(plan)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    current.current = plan
  })
  const run = useCallback(
    async (input: A): Promise<boolean> => {
      const now = current.current
      const touched = { predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => touches(pathOf(queryKey), now.routes) }
      setBusy(true)
      // An answer on its way was written before this, and would undo what is shown.
      await client.cancelQueries(touched)
      const takeBack = guessed(client, now, input)
      try {
        const answer = await now.run(input)
        say(now.done?.(input, answer))
        return true
      } catch (error) {
        takeBack()
        const { message, hint } = told(error)
        notices.add({ tone: 'failed', text: `${now.failed}: ${message}`, hint })
        return false
      } finally {
        setBusy(false)
        void client.invalidateQueries(touched)
      }
    },
    [client],
  )
  return { run, busy }
}

function say(done: { readonly text: string; readonly undo?: () => void } | undefined): void {
  if (done === undefined) return
  const action: NoticeAction | undefined = done.undo === undefined ? undefined : { label: 'Undo', run: done.undo }
  notices.add({ tone: 'done', text: done.text, ...(action === undefined ? {} : { action }) })
}
