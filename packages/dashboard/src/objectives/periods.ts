// Periods of agreements by name: 2026, 2026-Q4, 2026-11.

function moved(period: string, by: 1 | -1): string | null {
  const month = /^(\d{4})-(\d{2})$/.exec(period)
  if (month !== null) {
    const count = Number(month[1]) * 12 + Number(month[2]) - 1 + by
    return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, '0')}`
  }
  const quarter = /^(\d{4})-Q([1-4])$/.exec(period)
  if (quarter !== null) {
    const count = Number(quarter[1]) * 4 + Number(quarter[2]) - 1 + by
    return `${Math.floor(count / 4)}-Q${(count % 4) + 1}`
  }
  return /^\d{4}$/.test(period) ? String(Number(period) + by) : null
}

/** The period before; null for a name that is not known. */
export const previousPeriod = (period: string): string | null => moved(period, -1)
/** The period after. */
export const nextPeriod = (period: string): string | null => moved(period, 1)
