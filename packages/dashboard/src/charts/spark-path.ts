/**
 * The points of a sparkline as SVG path commands in a box of `width` by `height`; a gap (null) starts a new line.
 *
 * @param values - in time order at equal steps; the vertical scale runs from 0 to the largest
 * @returns '' when there is no value
 */
export function sparkPath(values: readonly (number | null)[], width: number, height: number): string {
  const largest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0)
  const x = (index: number): number => (values.length < 2 ? width / 2 : (index / (values.length - 1)) * width)
  const y = (value: number): number => (largest === 0 ? height - 1 : height - 1 - (value / largest) * (height - 2))
  let path = ''
  let drawing = false
  for (const [index, value] of values.entries()) {
    if (value === null) {
      drawing = false
      continue
    }
    path += `${drawing ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`
    drawing = true
  }
  return path
}
