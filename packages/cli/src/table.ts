const BARS = '▁▂▃▄▅▆▇█'

/** A line of bars, one per value, scaled to the greatest; a space where a value is not finite. */
export function sparkline(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite)
  const low = Math.min(0, ...finite)
  const span = Math.max(...finite) - low
  return values.map((value) => (Number.isFinite(value) ? (BARS[span > 0 ? Math.round(((value - low) / span) * (BARS.length - 1)) : 0] ?? ' ') : ' ')).join('')
}

/**
 * Rows under heads, each column as wide as its widest cell. Columns that hold only numbers stand at the right.
 *
 * @param rows - as long as `heads`
 */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const numeric = heads.map((_head, column) => rows.length > 0 && rows.every((row) => row[column] !== undefined && row[column] !== '' && !Number.isNaN(Number(row[column]))))
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (numeric[column] === true ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(heads), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}
