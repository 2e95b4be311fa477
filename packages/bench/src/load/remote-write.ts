// Prometheus' remote write, first version: samples of series in a request whose values and times can be changed in place.
import type { Labels } from '@andon/model'

export interface Encoded {
  /** The body as it is sent. */
  readonly bytes: Buffer
  readonly view: DataView
  /** Offsets of the values, doubles: all of the first series, then all of the second, … */
  readonly values: readonly number[]
  /** Offsets of the times in the same order, varints of six bytes. */
  readonly times: readonly number[]
}

/** What milliseconds since 1970 take as a varint, from 2004 to 2109. */
const TIME_BYTES = 6

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(content.length)]), content])
}

/** In the order that Prometheus asks for. */
function sorted(labels: Labels): [string, string][] {
  return Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Writes a time over the six bytes of another. */
export function stampMilliseconds(bytes: Uint8Array, at: number, ms: number): void {
  let rest = ms
  for (let index = 0; index < TIME_BYTES; index += 1) {
    bytes[at + index] = (rest % 128) | (index < TIME_BYTES - 1 ? 0x80 : 0)
    rest = Math.floor(rest / 128)
  }
}

/** The largest literal whose length three bytes say. */
const LITERAL = 2 ** 24

/**
 * A block of snappy that holds the bytes as they are: packed any closer they could not be changed in place. A receiver copies
 * instead of unpacking, which costs it less than what Prometheus sends.
 */
export function literalBlock(bytes: Uint8Array): Buffer {
  const parts = [Buffer.from(varint(bytes.length))]
  for (let at = 0; at < bytes.length; at += LITERAL) {
    const part = bytes.subarray(at, at + LITERAL)
    const code = part.length - 1
    parts.push(Buffer.from([62 << 2, code & 0xff, (code >> 8) & 0xff, code >> 16]), Buffer.from(part))
  }
  return Buffer.concat(parts)
}

/** A sample is { double value = 1; int64 timestamp = 2 }. */
const SAMPLE_BYTES = 1 + 8 + 1 + TIME_BYTES

/** @param each - samples of each series @throws RangeError past 16 MiB */
export function encodeWrite(series: readonly Labels[], each: number = 1): Encoded {
  const parts: Buffer[] = []
  const values: number[] = []
  const times: number[] = []
  let length = 0
  for (const labels of series) {
    const sample = Buffer.alloc(SAMPLE_BYTES)
    sample[0] = (1 << 3) | 1
    sample[9] = 2 << 3
    const samples = Array.from({ length: each }, () => field(2, sample))
    const body = Buffer.concat([...sorted(labels).map(([name, value]) => field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))]))), ...samples])
    const part = field(1, body)
    parts.push(part)
    length += part.length
    // The samples stand last, each with a tag and a length.
    for (let left = each - 1; left >= 0; left -= 1) {
      const end = length - left * (SAMPLE_BYTES + 2)
      values.push(end - SAMPLE_BYTES + 1)
      times.push(end - TIME_BYTES)
    }
  }
  if (length > LITERAL) throw new RangeError(`${length} bytes are more than one literal holds`)
  const bytes = literalBlock(Buffer.concat(parts))
  const head = bytes.length - length
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), values: values.map((at) => at + head), times: times.map((at) => at + head) }
}
