import type { Unit } from '../ui/format.ts'

/** One number of the server with its unit, or a text (`unit` null). */
export interface StatusFact {
  readonly name: string
  readonly value: number | null
  readonly text: string
  readonly unit: Unit | null
  /** What is said beside the number. */
  readonly note?: string
  /** Something was lost or refused. */
  readonly alarming: boolean
}

export interface StatusGroup {
  readonly title: string
  readonly facts: readonly StatusFact[]
}
