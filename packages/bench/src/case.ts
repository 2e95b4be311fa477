/** Work that can be repeated: one call is one iteration. What it returns is kept, so that it cannot be optimised away. */
export type Work = () => unknown

/**
 * One benchmark: the same task done by several subjects, the first of which is ours.
 *
 * A file `NAME.bench.ts` exports it as `benchmark`.
 */
export interface Benchmark {
  /** Said in reports, such as "decode 1,000 spans". */
  readonly title: string
  /** What is counted, in the plural, such as "spans". */
  readonly unit: string
  /** How many of them one iteration handles. */
  readonly perIteration: number
  /** Prepares each subject in a process of its own and returns its work. The first is compared with each other one. */
  readonly subjects: Readonly<Record<string, () => Work | Promise<Work>>>
}
