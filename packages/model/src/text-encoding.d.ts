// The class of the Encoding standard of UTF-8 that Node and browsers share. Declared here because this package is
// compiled without the types of either.
declare class TextEncoder {
  encode(text: string): Uint8Array
}
