/**
 * Numbers that look like chance and are the same at every run: for load, for simulations and for tests.
 *
 * @param seed - a whole number, of which the lowest 32 bits count
 * @returns gives the next number, uniform within 0..1, without 1; not for secrets
 * @see mulberry32 by Tommy Ettinger
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
