/**
 * What a measurement of whole programs is asked for.
 *
 * A file `NAME.measure.ts` exports `measure(options: MeasureOptions): Promise<string>`, which answers a report in Markdown.
 */
export interface MeasureOptions {
  /** To try the measurement out: short and few runs, whose numbers say nothing. */
  readonly isQuick: boolean
  /** Runs of each subject, in turn. */
  readonly rounds: number
  /** Words of the names of the subjects that are to run; all when empty. */
  readonly subjects: readonly string[]
  /** Connections that are kept busy, one table for each; what has no connections takes no notice. */
  readonly connections: readonly number[]
  /** How much a measurement that can be of any size is to be of, such as spans or seconds; undefined for its default. */
  readonly size: number | undefined
}
