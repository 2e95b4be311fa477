// The columns of an answer in ClickHouse's Native format: blocks of rows, column after column.
// @see https://clickhouse.com/docs/interfaces/formats/Native
import { RowBinary } from './row-binary.ts'

/** Columns of plain numbers, each whole. */
export interface NativeColumns {
  readonly rows: number
  readonly columns: readonly ArrayBuffer[]
}

/**
 * Reads columns whose values take a fixed number of bytes.
 *
 * @param widths - of each column's values, in bytes
 */
export function readNative(bytes: Uint8Array, widths: readonly number[]): NativeColumns {
  const reader = new RowBinary(bytes)
  const blocks: { readonly rows: number; readonly at: readonly number[] }[] = []
  let rows = 0
  while (reader.more) {
    const [columns, count] = [reader.length(), reader.length()]
    const at = widths.slice(0, columns).map((width) => {
      // Its name and its type.
      reader.skip(reader.length())
      reader.skip(reader.length())
      return reader.skip(count * width)
    })
    blocks.push({ rows: count, at })
    rows += count
  }
  const columns = widths.map((width, column) => {
    const whole = new Uint8Array(rows * width)
    let to = 0
    for (const block of blocks) {
      const from = block.at[column] ?? 0
      whole.set(bytes.subarray(from, from + block.rows * width), to)
      to += block.rows * width
    }
    return whole.buffer
  })
  return { rows, columns }
}
