// Text that Prometheus' own lexer takes and the grammar does not, brought to what the grammar takes. The length never
// changes, so that every position in the tree is one in the text that the user wrote.

/** Texts, comments and words, which stay as they are, and numbers that end in a point. */
const TOKEN = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*|\b(?:step|range|min_of|max_of)(?=\s*\()|[a-zA-Z_:][\w:.]*|\d[\d_]*\.(?![\d.])|\d[\w.]*|\[|\]/gi
const QUOTED = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|#[^\n]*/g
const SHAPE = /^(?:step|range)$/i
const CHOICE = /^(?:min_of|max_of)$/i
const POINT_AT_END = /^\d[\d_]*\.$/
/** A function of the grammar, as long as min_of and max_of, to stand for them where no duration is. */
const STAND_IN = 'vector'

/** Where the parenthesis opens that is still open at the end of a text; -1 when there is none. */
function openingOf(before: string): number {
  let open = 0
  for (let index = before.length - 1; index >= 0; index -= 1) {
    if (before[index] === ')') open += 1
    else if (before[index] === '(' && (open -= 1) < 0) return index
  }
  return -1
}

/** Whether what follows a text is part of the duration of an `offset`. */
function isOffset(before: string): boolean {
  let rest = before
  for (;;) {
    if (/\boffset\s*[+-]?\s*$/i.test(rest)) return true
    const opening = openingOf(rest)
    if (opening === -1) return false
    // Out of a parenthesis of the duration itself, but not out of a function's.
    const outside = rest.slice(0, opening).replace(/\b(?:min_of|max_of)\s*$/i, '')
    if (/[\w)\]}]\s*$/.test(outside) && !/\boffset\s*$/i.test(outside)) return false
    rest = outside
  }
}

/**
 * The text for the grammar: `2.` as `2 `, STEP() and RANGE() in small letters, and min_of() and max_of() of scalars, which
 * the grammar knows in durations only, under the name of another function.
 *
 * @returns a text of the same length
 * @example prepare('1./6. + x[STEP()]') // '1 /6  + x[step()]'
 */
export function prepare(text: string): string {
  const plain = text.replaceAll(QUOTED, (quoted) => ' '.repeat(quoted.length))
  let brackets = 0
  return text.replaceAll(TOKEN, (token, at: number) => {
    if (token === '[') brackets += 1
    else if (token === ']') brackets -= 1
    else if (POINT_AT_END.test(token)) return `${token.slice(0, -1)} `
    else if (SHAPE.test(token)) return token.toLowerCase()
    else if (CHOICE.test(token)) return brackets > 0 || isOffset(plain.slice(0, at)) ? token.toLowerCase() : STAND_IN
    return token
  })
}
