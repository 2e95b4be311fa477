// Checks of ids in headers, by character: these run on every request that comes in.

const ZERO = 48

function isHexDigit(code: number): boolean {
  return (code >= ZERO && code <= 57) || (code >= 97 && code <= 102)
}

/** Whether the text holds `length` lower-case hex digits from `at`. */
export function isHex(text: string, at: number, length: number): boolean {
  const end = at + length
  if (end > text.length) return false
  for (let index = at; index < end; index += 1) if (!isHexDigit(text.charCodeAt(index))) return false
  return true
}

/** Whether the text holds, from `at`, an id of `length` lower-case hex digits that are not all zero. */
export function isId(text: string, at: number, length: number): boolean {
  const end = at + length
  if (end > text.length) return false
  let isZero = true
  for (let index = at; index < end; index += 1) {
    const code = text.charCodeAt(index)
    if (!isHexDigit(code)) return false
    if (code !== ZERO) isZero = false
  }
  return !isZero
}

/** The value of one lower-case hex digit. */
export function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code <= 57 ? code - ZERO : code - 87
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** The text without spaces and tabs around it: HTTP's optional white space. */
export function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text.charCodeAt(start))) start += 1
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1
  return start === 0 && end === text.length ? text : text.slice(start, end)
}
