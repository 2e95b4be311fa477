// Text that Prometheus' own lexer takes and the grammar does not, brought to what the grammar takes. The length never
// changes, so that every position in the tree is one in the text that the user wrote.

/** All of a text, token after token; each alternative reads its token once, closed or not. */
const TOKEN = /"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|`[^`]*`?|#[^\n]*|(?:step|range|min_of|max_of)(?=\s*\()|[a-zA-Z_:][\w:.]*|\d[\w.]*|\s+|[^]/gi
const SHAPE = /^(?:step|range)$/i
const CHOICE = /^(?:min_of|max_of)$/i
const POINT_AT_END = /^\d[\d_]*\.$/
/** A function of the grammar, as long as min_of and max_of, to stand for them where no duration is. */
const STAND_IN = 'vector'

/** Knows of each token whether it is part of a duration: in brackets, or after `offset`. */
class Place {
  /** For each bracket and parenthesis that is open, whether a duration stands in it. */
  readonly #open: boolean[] = []
  #afterOffset = false

  get isDuration(): boolean {
    return this.#afterOffset || this.#open.at(-1) === true
  }

  pass(token: string): void {
    if (token === '[') this.#open.push(true)
    else if (token === '(') this.#open.push(this.isDuration)
    else if (token === ')' || token === ']') this.#open.pop()
    // A sign, a space or the name of a function goes on with what `offset` began.
    else if (/^(?:[+-]|\s+)$/.test(token) || SHAPE.test(token) || CHOICE.test(token)) return
    this.#afterOffset = /^offset$/i.test(token)
  }
}

/**
 * The text for the grammar: `2.` as `2 `, STEP() and RANGE() in small letters, and min_of() and max_of() of scalars, which
 * the grammar knows in durations only, under the name of another function.
 *
 * @returns a text of the same length, in time linear in it
 * @example prepare('1./6. + x[STEP()]') // '1 /6  + x[step()]'
 */
export function prepare(text: string): string {
  const place = new Place()
  return text.replaceAll(TOKEN, (token) => {
    const { isDuration } = place
    place.pass(token)
    if (POINT_AT_END.test(token)) return `${token.slice(0, -1)} `
    if (SHAPE.test(token)) return token.toLowerCase()
    if (CHOICE.test(token)) return isDuration ? token.toLowerCase() : STAND_IN
    return token
  })
}
