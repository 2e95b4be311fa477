import type { Labels } from '@andon/model'

const encoder = new TextEncoder()
const SEPARATOR = new Uint8Array([0xff])

/** FNV-1a of 64 bits; the state is kept as two halves of 32 bits, which numbers hold exactly. */
class Fnv1a {
  #high = 0xcb_f2_9c_e4
  #low = 0x84_22_23_25

  add(bytes: Uint8Array): void {
    let [high, low] = [this.#high, this.#low]
    for (const byte of bytes) {
      low = (low ^ byte) >>> 0
      // The prime is 2^40 + 0x1b3.
      const product = low * 0x1_b3
      high = (high * 0x1_b3 + Math.floor(product / 0x1_00_00_00_00) + low * 0x1_00) % 0x1_00_00_00_00
      low = product % 0x1_00_00_00_00
    }
    this.#high = high
    this.#low = low
  }

  hex(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0')
  }
}

/** FNV-1a 64 of a text in UTF-8, 16 hexadecimal digits. */
export function textHash(text: string): string {
  const hash = new Fnv1a()
  hash.add(encoder.encode(text))
  return hash.hex()
}

/**
 * The fingerprint of an alert as Alertmanager makes it: FNV-1a 64 over the labels in the order of their names, each name and value followed
 * by a byte 0xff.
 *
 * @param labels - with `alertname`; empty values are left out, as Alertmanager removes them
 * @returns 16 hexadecimal digits
 * @see prometheus/common model/signature.go labelSetToFingerprint
 */
export function fingerprintOf(labels: Labels): string {
  const hash = new Fnv1a()
  const pairs = Object.entries(labels).filter(([, value]) => value !== '')
  // Go sorts by bytes; UTF-16 units differ from that order only beyond the basic plane, which no name of a label has.
  for (const [name, value] of pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.add(encoder.encode(name))
    hash.add(SEPARATOR)
    hash.add(encoder.encode(value))
    hash.add(SEPARATOR)
  }
  return hash.hex()
}
