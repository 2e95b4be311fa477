// One alias per unit, so that a signature says what a number is. The only conversions between them stand here.

/** A point in time as nanoseconds since the Unix epoch, or a length of time; exact. */
export type Nanoseconds = bigint
/** A point in time as milliseconds since the Unix epoch, or a length of time. */
export type Milliseconds = number
/** A length of time in seconds. */
export type Seconds = number
/** A size in bytes. */
export type Bytes = number
/** A share within 0..1, unless said otherwise. */
export type Ratio = number

/**
 * Nanoseconds as milliseconds, rounded down to a whole millisecond.
 *
 * @param ns - a time within the range of OTLP's fixed64 (0 up to the year 2554)
 * @example nanosecondsToMilliseconds(1_500_000n) // 1
 */
export function nanosecondsToMilliseconds(ns: Nanoseconds): Milliseconds {
  return Number(ns / 1_000_000n)
}

/**
 * Milliseconds as nanoseconds; fractions of a millisecond are kept to the nanosecond.
 *
 * @param ms - a finite number of milliseconds
 * @example millisecondsToNanoseconds(1.5) // 1_500_000n
 */
export function millisecondsToNanoseconds(ms: Milliseconds): Nanoseconds {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}

/**
 * A length of time in seconds, with the precision of a double.
 *
 * @param ns - a length of time
 * @example nanosecondsToSeconds(1_500_000_000n) // 1.5
 */
export function nanosecondsToSeconds(ns: Nanoseconds): Seconds {
  return Number(ns) / 1e9
}
