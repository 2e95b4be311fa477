import type { TimeRange } from '@andon/model'
import { useMemo } from 'react'
import { type DrawnSeries, drawnSeries, type RangeAnswer, rangePath } from './promql.ts'
import { useLive } from './use-live.ts'

/** The answer of an expression over a range, ready to be drawn. */
export interface ExpressionAnswer {
  readonly drawn: DrawnSeries | undefined
  readonly error: Error | null
  readonly pending: boolean
  readonly retry: () => void
}

/** Asks for an expression over a range; at most `most` series, the largest. */
export function useExpression(expression: string, { start, end }: TimeRange, most: number): ExpressionAnswer {
  const { data, error, isPending, refetch } = useLive<RangeAnswer>(rangePath(expression, start, end))
  const drawn = useMemo(() => (data === undefined ? undefined : drawnSeries(data, most)), [data, most])
  return { drawn, error, pending: isPending, retry: () => void refetch() }
}
