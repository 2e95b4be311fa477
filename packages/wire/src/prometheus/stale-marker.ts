// The end of a series, as Prometheus writes it.
import type { Reader } from '../protobuf.ts'

/** A NaN of this kind, which as a number is lost among the others. */
const MARKER = 0x7f_f0_00_00_00_00_00_02n

const float = new DataView(new ArrayBuffer(8))

/** Reads a double, and whether it is the marker: its value then means nothing. */
export function readMarkedDouble(reader: Reader): { readonly value: number; readonly stale: boolean } {
  const bits = reader.fixed64()
  if (bits === MARKER) return { value: Number.NaN, stale: true }
  float.setBigUint64(0, bits)
  return { value: float.getFloat64(0), stale: false }
}
