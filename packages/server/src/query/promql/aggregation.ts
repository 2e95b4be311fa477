// What an aggregation is given.
import type { Labels } from '@andon/model'
import type { Remarks } from './context.ts'
import type { GridElement } from './vector.ts'

/** What an aggregation needs besides its vector. */
export interface Aggregation {
  readonly op: string
  readonly grouping: readonly string[]
  readonly without: boolean
  /** The parameter at each step: of topk, bottomk, quantile, limitk and limit_ratio. */
  readonly param: (step: number) => number
  /** The label that count_values writes to. */
  readonly label: string
  readonly steps: number
  /** On the vector. */
  readonly remarks: Remarks
  /** On the parameter. */
  readonly paramRemarks: Remarks
}

export interface Group {
  readonly labels: Labels
  /** Whether any of its members has a name that is to be dropped. */
  dropName: boolean
  readonly members: GridElement[]
}
