// Whether a regular expression matches the empty text, found by reading it once: a selector must not select everything.

const MAX_DEPTH = 1000
/** Escapes that match where no character is. `\b` is not among them: it needs a word beside it. */
const ZERO_WIDTH = new Set(['A', 'z', 'B'])

class Reader {
  readonly #pattern: string
  #at = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  /** Branches up to a closing parenthesis, or the end. */
  alternation(depth: number): boolean {
    let [some, branch] = [false, true]
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ')') {
      if (this.#pattern[this.#at] === '|') {
        this.#at += 1
        some ||= branch
        branch = true
        continue
      }
      const atom = this.#atom(depth)
      branch = this.#quantified(atom) && branch
    }
    return some || branch
  }

  /** What a quantifier, or several, make of an atom. */
  #quantified(atom: boolean): boolean {
    let nullable = atom
    for (;;) {
      const [text, least] = /^(?:[*?+]|\{(\d+)(?:,\d*)?\})/.exec(this.#pattern.slice(this.#at, this.#at + 16)) ?? []
      if (text === undefined) return nullable
      this.#at += text.length
      if (text === '*' || text === '?' || Number(least) === 0) nullable = true
    }
  }

  #atom(depth: number): boolean {
    const sign = this.#pattern[this.#at] ?? ''
    this.#at += 1
    switch (sign) {
      case '^':
      case '$':
        return true
      case '(':
        return this.#group(depth)
      case '[':
        return this.#class()
      case '\\':
        return this.#escape()
      default:
        return false
    }
  }

  #group(depth: number): boolean {
    // Its name and its flags: (?:, (?P<name>, (?<name>, (?i:, and (?i) which is nothing but flags.
    const [opening = ''] = /^\?(?:P?<\w*>|[a-zA-Z-]*[:)]?)/.exec(this.#pattern.slice(this.#at, this.#at + 256)) ?? []
    this.#at += opening.length
    if (opening.endsWith(')')) return true
    if (depth > MAX_DEPTH) {
      this.#at = this.#pattern.length
      return false
    }
    const nullable = this.alternation(depth + 1)
    this.#at += 1
    return nullable
  }

  #class(): boolean {
    if (this.#pattern[this.#at] === '^') this.#at += 1
    // A bracket at the very beginning is one of the characters.
    if (this.#pattern[this.#at] === ']') this.#at += 1
    while (this.#at < this.#pattern.length && this.#pattern[this.#at] !== ']') {
      if (this.#pattern[this.#at] === '\\') this.#at += 2
      else if (this.#pattern.startsWith('[:', this.#at)) this.#at = Math.max(this.#at + 2, this.#pattern.indexOf(':]', this.#at) + 2)
      else this.#at += 1
    }
    this.#at += 1
    return false
  }

  #escape(): boolean {
    const sign = this.#pattern[this.#at] ?? ''
    this.#at += 1
    if (sign !== 'Q') return ZERO_WIDTH.has(sign)
    const end = this.#pattern.indexOf('\\E', this.#at)
    const from = this.#at
    this.#at = end === -1 ? this.#pattern.length : end + 2
    return end === from || from === this.#pattern.length
  }
}

/**
 * Whether an RE2 expression matches the empty text. What is no expression gives any answer; the evaluation refuses it.
 *
 * @returns in time linear in the text
 * @example matchesEmpty('a*|b') // true
 */
export function matchesEmpty(pattern: string): boolean {
  return new Reader(pattern).alternation(0)
}
