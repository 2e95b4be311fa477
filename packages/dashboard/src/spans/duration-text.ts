const FACTORS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 }

/**
 * A typed duration in seconds; a bare number means milliseconds.
 *
 * @returns null when the text is no duration
 * @example parseDuration('1.5s') // 1.5
 */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|min|m|h)?$/.exec(text.trim().toLowerCase())
  if (match === null) return null
  return Number(match[1]) * (FACTORS[match[2] ?? 'ms'] ?? Number.NaN)
}

/** What the server is asked for: `100ms`, `1.5s`; null when the text is no duration. */
export function durationQuery(text: string): string | null {
  const seconds = parseDuration(text)
  return seconds === null ? null : secondsQuery(seconds)
}

/**
 * A length dragged on a chart as a person would write it: two digits, rounded so that the box never shrinks.
 *
 * @param seconds - greater than 0
 * @example roundOutward(0.020_08, 'down') // 0.02
 */
export function roundOutward(seconds: number, direction: 'down' | 'up'): number {
  const unit = 10 ** (Math.floor(Math.log10(seconds)) - 1)
  const steps = seconds / unit
  return (direction === 'down' ? Math.floor(steps + 1e-9) : Math.ceil(steps - 1e-9)) * unit
}

/** Seconds as the server reads them, to the microsecond, in the largest unit that keeps it short. */
export function secondsQuery(seconds: number): string {
  const micros = Math.round(seconds * 1e6)
  if (micros % 1e6 === 0) return `${micros / 1e6}s`
  return micros < 1000 ? `${micros}us` : `${micros / 1000}ms`
}
