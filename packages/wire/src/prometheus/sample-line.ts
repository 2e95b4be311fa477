// One line of an exposition: a name, labels, a value, perhaps a time and an exemplar. Read character by character, because
// values of labels may hold anything, braces and number signs among it.
import { AndonError } from '@andon/model'

export interface SampleLine {
  readonly name: string
  readonly labels: Record<string, string>
  readonly value: number
  /** As it was written: milliseconds, or seconds in OpenMetrics. */
  readonly time: number | undefined
  readonly exemplar: ExemplarText | undefined
}

interface ExemplarText {
  readonly labels: Record<string, string>
  readonly value: number
  readonly time: number | undefined
}

const NAME = /[a-zA-Z_:][\w:]*/y
const LABEL_NAME = /[a-zA-Z_]\w*/y
const WORD = /[^\s#]+/y
const BLANK = /[ \t]*/y
const SPECIAL: Readonly<Record<string, number>> = { '+inf': Infinity, inf: Infinity, '-inf': -Infinity, nan: Number.NaN }

class LineReader {
  readonly #text: string
  readonly #line: number
  #at = 0

  constructor(text: string, line: number) {
    this.#text = text
    this.#line = line
  }

  refuse(problem: string): never {
    throw new AndonError('bad_body', `metrics text, line ${this.#line}: ${problem}`)
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  blanks(): void {
    this.#match(BLANK)
  }

  /** Passes a character if it stands here. */
  pass(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  name(): string {
    return this.#match(NAME)
  }

  /** A text in double quotes, of which the first has been passed. */
  #quoted(): string {
    const start = this.#at
    let end = start
    let isEscaped = false
    while (end < this.#text.length && this.#text[end] !== '"') {
      if (this.#text[end] === '\\') {
        isEscaped = true
        end += 1
      }
      end += 1
    }
    if (end >= this.#text.length) this.refuse('a text in quotes has no end')
    this.#at = end + 1
    const text = this.#text.slice(start, end)
    return isEscaped ? text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)) : text
  }

  /**
   * What stands between braces, of which the first has been passed.
   *
   * @param named - told the name of the metric where that stands between them, in quotes
   */
  labels(named: (name: string) => void): Record<string, string> {
    const labels: Record<string, string> = {}
    for (;;) {
      this.blanks()
      if (this.pass('}')) return labels
      const isQuoted = this.pass('"')
      const name = isQuoted ? this.#quoted() : this.#match(LABEL_NAME)
      this.blanks()
      if (this.pass('=')) {
        this.blanks()
        if (name === '' || !this.pass('"')) this.refuse('the labels are not NAME="VALUE", …')
        labels[name] = this.#quoted()
      } else if (isQuoted) named(name)
      else this.refuse('the labels are not NAME="VALUE", …')
      this.blanks()
      if (this.pass(',')) continue
      if (this.pass('}')) return labels
      this.refuse('the labels are not NAME="VALUE", …')
    }
  }

  number(): number {
    this.blanks()
    const word = this.#match(WORD)
    const value = SPECIAL[word.toLowerCase()] ?? (word === '' ? Number.NaN : Number(word))
    return Number.isNaN(value) && word.toLowerCase() !== 'nan' ? this.refuse(`"${word.slice(0, 50)}" is not a number`) : value
  }

  /** A number that may be missing. */
  time(): number | undefined {
    this.blanks()
    return this.isAtEnd || this.#text[this.#at] === '#' ? undefined : this.number()
  }

  /** After `#`: labels in braces, a value, perhaps a time. A comment that is none of that is passed over. */
  exemplar(): ExemplarText | undefined {
    this.blanks()
    if (!this.pass('#')) return undefined
    this.blanks()
    if (!this.pass('{')) {
      this.#at = this.#text.length
      return undefined
    }
    const labels = this.labels(() => this.refuse('an exemplar has no name'))
    return { labels, value: this.number(), time: this.time() }
  }
}

/**
 * @param line - its number, for errors
 * @throws AndonError bad_body
 */
export function parseSampleLine(text: string, line: number): SampleLine {
  const reader = new LineReader(text.trimEnd(), line)
  reader.blanks()
  let name = reader.name()
  reader.blanks()
  const labels = reader.pass('{')
    ? reader.labels((quoted) => {
        if (name !== '') reader.refuse('the metric has two names')
        name = quoted
      })
    : {}
  if (name === '') reader.refuse('NAME{LABELS} VALUE is expected')
  const value = reader.number()
  const time = reader.time()
  const exemplar = reader.exemplar()
  if (!reader.isAtEnd) reader.refuse('something follows the sample')
  return { name, labels, value, time, exemplar }
}
