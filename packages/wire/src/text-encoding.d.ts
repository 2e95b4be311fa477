// The two classes of the Encoding standard that Node and browsers share. Declared here because this package is
// compiled without the types of either.
declare class TextEncoder {
  encode(text: string): Uint8Array
}
declare class TextDecoder {
  constructor(encoding?: 'utf-8', options?: { readonly ignoreBOM?: boolean })
  decode(bytes: Uint8Array): string
}
