// A request that is prepared once and sent many times: before each sending its times, ids and values are changed in place,
// because a server that is sent the same again and again would compress, deduplicate or refuse it.

/** Fields of a protobuf message: their number, where their content begins and where it ends. */
interface Field {
  readonly number: number
  readonly at: number
  readonly end: number
}

function varint(bytes: Uint8Array, from: number): { readonly value: number; readonly at: number } {
  let value = 0
  let at = from
  for (let shift = 1; ; shift *= 128, at += 1) {
    const byte = bytes[at] ?? 0
    value += (byte & 0x7f) * shift
    if (byte < 0x80) return { value, at: at + 1 }
  }
}

function* fieldsOf(bytes: Uint8Array, from: number, to: number): Generator<Field> {
  let at = from
  while (at < to) {
    const tag = varint(bytes, at)
    const number = Math.floor(tag.value / 8)
    const wire = tag.value % 8
    if (wire === 2) {
      const length = varint(bytes, tag.at)
      yield { number, at: length.at, end: length.at + length.value }
      at = length.at + length.value
    } else {
      const end = wire === 0 ? varint(bytes, tag.at).at : tag.at + (wire === 1 ? 8 : 4)
      yield { number, at: tag.at, end }
      at = end
    }
  }
}

/** Which fields of a message are looked at: those of messages within it, or an offset that is told. */
export type Shape = { readonly [field: number]: Shape | ((at: number, end: number) => void) }

/** Walks a message and tells the offsets that its shape names. */
export function walk(bytes: Uint8Array, shape: Shape, from: number = 0, to: number = bytes.length): void {
  for (const { number, at, end } of fieldsOf(bytes, from, to)) {
    const inner = shape[number]
    if (typeof inner === 'function') inner(at, end)
    else if (inner !== undefined) walk(bytes, inner, at, end)
  }
}

/** An unsigned 64-bit number in two halves. */
export interface Halves {
  readonly high: number
  readonly low: number
}

export function halvesOf(value: bigint): Halves {
  return { high: Number((value >> 32n) & 0xffff_ffffn), low: Number(value & 0xffff_ffffn) }
}

/** 64-bit fields of a request to which the same is added, or with which the same is XORed. */
export class Words {
  readonly #view: DataView
  readonly #offsets: Uint32Array
  readonly #base: Uint32Array

  constructor(bytes: Uint8Array, offsets: readonly number[]) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#offsets = Uint32Array.from(offsets)
    this.#base = Uint32Array.from(offsets.flatMap((at) => [this.#view.getUint32(at, true), this.#view.getUint32(at + 4, true)]))
  }

  /** Each field becomes what it was at first plus this. */
  add({ high, low }: Halves): void {
    for (let index = 0; index < this.#offsets.length; index += 1) {
      const at = this.#offsets[index] ?? 0
      const sum = (this.#base[index * 2] ?? 0) + low
      this.#view.setUint32(at, sum >>> 0, true)
      this.#view.setUint32(at + 4, ((this.#base[index * 2 + 1] ?? 0) + high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0, true)
    }
  }

  /** Each field becomes what it was at first XORed with this. */
  xor({ high, low }: Halves): void {
    for (let index = 0; index < this.#offsets.length; index += 1) {
      const at = this.#offsets[index] ?? 0
      this.#view.setUint32(at, ((this.#base[index * 2] ?? 0) ^ low) >>> 0, true)
      this.#view.setUint32(at + 4, ((this.#base[index * 2 + 1] ?? 0) ^ high) >>> 0, true)
    }
  }
}

/** A request that can be sent again and again. */
export interface Template {
  readonly bytes: Buffer
  /** Spans or samples that it holds. */
  readonly items: number
  /** Makes it the request of a turn. @param turn - 0, 1, …; each must be used once */
  readonly stamp: (turn: number) => void
}
