import type { JSX, ReactNode } from 'react'
import { Panel } from './panel.tsx'
import { type Failure, Failed, Loading, Trouble } from './states.tsx'

/** What a page knows of a question that it asked. */
export interface Asked<T> {
  readonly data: T | undefined
  readonly error: Error | null
  readonly refetch: () => unknown
}

const text = (error: Error, key: string): string | undefined => {
  const value: unknown = Reflect.get(error, key)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An error as the page says it, with the hint and the code where it has them. */
export function failureOf(error: Error): Failure {
  const [hint, code] = [text(error, 'hint'), text(error, 'code')]
  return { message: error.message, ...(hint === undefined ? {} : { hint }), ...(code === undefined ? {} : { code }) }
}

/** The three states before there is an answer, and the warning where a newer one failed; then the page itself. */
export function Answer<T>(props: { readonly asked: Asked<T>; readonly rows?: number; readonly height?: number; readonly bare?: boolean; readonly children: (data: T) => ReactNode }): JSX.Element {
  const { asked, rows = 5, height = 32, bare = false, children } = props
  const { data, error } = asked
  if (data !== undefined) {
    return (
      <>
        <Trouble error={error} has />
        {children(data)}
      </>
    )
  }
  const waiting = error === null ? <Loading rows={rows} height={height} /> : <Failed error={failureOf(error)} retry={() => void asked.refetch()} />
  return bare || error !== null ? waiting : <Panel>{waiting}</Panel>
}
