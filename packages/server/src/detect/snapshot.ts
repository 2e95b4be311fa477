// The numbers of a detector as text, to be kept in the state log.

/** Changed with the layout of any detector's numbers: what was kept by another version is learned anew from the history. */
const VERSION = 'a1'

/** @returns the numbers in base64, little endian; 5.4 KB for 4 KiB */
export function packed(state: Float64Array, floats: Float32Array): string {
  const bytes = Buffer.alloc(state.byteLength + floats.byteLength)
  for (const [index, value] of state.entries()) bytes.writeDoubleLE(value, index * 8)
  for (const [index, value] of floats.entries()) bytes.writeFloatLE(value, state.byteLength + index * 4)
  return `${VERSION}:${state.length}:${floats.length}:${bytes.toString('base64')}`
}

/** The numbers of a text; zeros where it is not one of these sizes. */
export function unpacked(text: string | undefined, stateSize: number, floatsSize: number): { readonly state: Float64Array; readonly floats: Float32Array } {
  const state = new Float64Array(stateSize)
  const floats = new Float32Array(floatsSize)
  const prefix = `${VERSION}:${stateSize}:${floatsSize}:`
  if (text?.startsWith(prefix) !== true) return { state, floats }
  const bytes = Buffer.from(text.slice(prefix.length), 'base64')
  if (bytes.length !== state.byteLength + floats.byteLength) return { state, floats }
  for (let index = 0; index < stateSize; index += 1) state[index] = bytes.readDoubleLE(index * 8)
  for (let index = 0; index < floatsSize; index += 1) floats[index] = bytes.readFloatLE(state.byteLength + index * 4)
  return { state, floats }
}
