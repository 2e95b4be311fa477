// TraceQL to conditions: sets of spans, joined by && and ||, with conditions on attributes and intrinsics.
// What finds traces by their structure, or calculates with spans, is refused with what to do instead.
import type { Comparison, FilterValue, SpanFilter, TraceFilter } from '../../store/span-filter.ts'
import { EVERY_SPAN } from '../../store/span-filter.ts'
import { fieldOf, type FieldType, KEYWORDS, type NamedField } from './fields.ts'
import { failAt, type Token, tokensOf } from './tokens.ts'

/** A parsed query. */
export interface TraceQl {
  readonly filter: TraceFilter
  /** Fields that the query names, and what `select` adds: shown with each span that is found. */
  readonly fields: readonly NamedField[]
}

const COMPARISONS: readonly string[] = ['=', '!=', '<', '<=', '>', '>=', '=~', '!~']
const FLIPPED: Readonly<Record<string, Comparison>> = { '=': '=', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' }
const STRUCTURE: readonly string[] = ['>', '>>', '<', '<<', '~', '!>', '!<', '!~', '&>', '&>>', '&<']
const ARITHMETIC: readonly string[] = ['+', '-', '*', '/', '%', '^']
const METRICS = /^(?:rate|compare|topk|bottomk|\w+_over_time)$/

const ASK_METRICS = 'Ask rates, counts and quantiles in PromQL: the data source Prometheus of this server has them of every request, not only of traces that were kept.'
const NARROW = 'Search by conditions on single spans, {…} && {…}, and open the traces that are found.'

/** A value as it is written. */
interface Literal {
  readonly kind: 'text' | 'number' | 'nanoseconds' | 'boolean' | 'nil' | 'keyword'
  readonly value: FilterValue
}

type Operand = { readonly field: NamedField; readonly at: number } | { readonly literal: Literal; readonly at: number } | { readonly filter: SpanFilter; readonly at: number }

const NESTED_MAX = 100

class Parser {
  readonly #query: string
  readonly #tokens: readonly Token[]
  readonly #fields: NamedField[] = []
  #next = 0
  #depth = 0

  constructor(query: string) {
    this.#query = query
    this.#tokens = tokensOf(query)
  }

  parse(): TraceQl {
    const filter = this.#spansets()
    while (this.#take('|')) this.#stage()
    if (this.#peek().text === 'with') this.#hints()
    const rest = this.#peek()
    if (rest.kind !== 'end') this.#fail(`unexpected ${JSON.stringify(rest.text)}`)
    return { filter, fields: this.#fields }
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.#query.length }
  }

  #advance(): Token {
    const token = this.#peek()
    this.#next += 1
    return token
  }

  #isSymbol(text: string): boolean {
    const token = this.#peek()
    return token.kind === 'symbol' && token.text === text
  }

  #take(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false
    this.#next += 1
    return true
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) this.#fail(this.#peek().kind === 'end' ? `${symbol} is missing` : `${symbol} is expected before ${JSON.stringify(this.#peek().text)}`)
  }

  #fail(problem: string, hint?: string, at: number = this.#peek().at): never {
    return failAt(this.#query, at, problem, hint)
  }

  /** Runs what may hold itself, to a bounded depth. */
  #nested<T>(read: () => T): T {
    this.#depth += 1
    if (this.#depth > NESTED_MAX) this.#fail(`more than ${NESTED_MAX} levels of parentheses`)
    const found = read()
    this.#depth -= 1
    return found
  }

  #joined<T>(symbol: string, read: () => T): T[] {
    const parts = [read()]
    while (this.#take(symbol)) parts.push(read())
    return parts
  }

  #spansets(): TraceFilter {
    const parts = this.#joined('||', () => {
      const of = this.#joined('&&', () => this.#spanset())
      return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'allOf' as const, of }
    })
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'anyOf', of: parts }
  }

  #spanset(): TraceFilter {
    if (this.#take('(')) {
      const inner = this.#nested(() => this.#spansets())
      this.#expect(')')
      return this.#unstructured(inner)
    }
    if (!this.#take('{')) this.#fail(this.#peek().kind === 'end' ? 'a set of spans in braces is missing' : `{ is expected before ${JSON.stringify(this.#peek().text)}`)
    const filter = this.#isSymbol('}') ? EVERY_SPAN : this.#condition()
    this.#expect('}')
    return this.#unstructured({ kind: 'spans', filter })
  }

  #unstructured(found: TraceFilter): TraceFilter {
    const token = this.#peek()
    if (token.kind === 'symbol' && STRUCTURE.includes(token.text)) this.#fail(`the structural operator ${token.text} is not supported`, NARROW)
    return found
  }

  #condition(): SpanFilter {
    return this.#nested(() => {
      const parts = this.#joined('||', () => {
        const of = this.#joined('&&', () => this.#term())
        return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'all' as const, of }
      })
      return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'any', of: parts }
    })
  }

  #term(): SpanFilter {
    if (this.#take('!')) return { kind: 'not', of: this.#nested(() => this.#term()) }
    const left = this.#operand()
    const token = this.#peek()
    if (token.kind === 'symbol' && ARITHMETIC.includes(token.text)) this.#fail('arithmetic is not supported', 'Compare one field with one value.')
    if (token.kind !== 'symbol' || !COMPARISONS.includes(token.text)) return this.#alone(left)
    this.#next += 1
    return this.#compared(left, token.text, this.#operand())
  }

  #operand(): Operand {
    const token = this.#advance()
    if (token.kind === 'symbol' && token.text === '(') {
      const filter = this.#condition()
      this.#expect(')')
      return { filter, at: token.at }
    }
    const field = fieldOf(token, this.#query)
    // `ok`, `error`, `server` and the like are words as well, and no names of fields.
    if (field !== undefined) {
      this.#fields.push(field)
      return { field, at: token.at }
    }
    return { literal: this.#literal(token), at: token.at }
  }

  #literal(token: Token): Literal {
    switch (token.kind) {
      case 'text':
        return { kind: 'text', value: token.text }
      case 'integer':
        return { kind: 'number', value: integer(token.text) }
      case 'float':
        return { kind: 'number', value: Number(token.text) }
      case 'duration':
        return { kind: 'nanoseconds', value: token.nanoseconds ?? 0 }
      case 'word':
        return this.#word(token)
      case 'symbol':
        if (token.text === '-') return this.#negative(token)
        break
      case 'attribute':
      case 'end':
        break
    }
    return this.#fail(token.kind === 'end' ? 'a field or a value is missing' : `a field or a value is expected, not ${JSON.stringify(token.text)}`, undefined, token.at)
  }

  #negative({ at }: Token): Literal {
    const { kind, value } = this.#literal(this.#advance())
    if (typeof value === 'bigint') return { kind, value: -value }
    return typeof value === 'number' ? { kind, value: -value } : this.#fail('a number is expected after -', undefined, at)
  }

  #word({ text, at }: Token): Literal {
    if (text === 'true' || text === 'false') return { kind: 'boolean', value: text === 'true' }
    if (text === 'nil') return { kind: 'nil', value: null }
    if (KEYWORDS.kind.includes(text) || KEYWORDS.status.includes(text)) return { kind: 'keyword', value: text }
    if (/^(?:childCount|nestedSet\w+)$/.test(text)) return this.#fail(`${text} is not kept`, NARROW, at)
    return this.#fail(`${JSON.stringify(text)} is no field and no value`, `Attributes begin with a dot or a scope: .${text}, span.${text}, resource.${text}; texts stand in quotes: "${text}".`, at)
  }

  /** What stands without a comparison: a truth value, in parentheses or as an attribute. */
  #alone(operand: Operand): SpanFilter {
    if ('filter' in operand) return operand.filter
    if ('field' in operand) {
      if (operand.field.type !== 'any') this.#fail(`${operand.field.name} is no truth value`, undefined, operand.at)
      return { kind: 'compare', field: operand.field.field, operator: '=', value: true }
    }
    if (typeof operand.literal.value !== 'boolean') this.#fail('a comparison is missing', undefined, operand.at)
    return operand.literal.value ? EVERY_SPAN : { kind: 'any', of: [] }
  }

  #compared(left: Operand, operator: string, right: Operand): SpanFilter {
    if ('field' in left && 'literal' in right) return this.#comparison(left.field, operator, right)
    const flipped = FLIPPED[operator]
    if ('literal' in left && 'field' in right && flipped !== undefined) return this.#comparison(right.field, flipped, left)
    return this.#fail('only a field and a value can be compared', 'Compare one field with one value.', left.at)
  }

  #comparison({ field, type, name }: NamedField, symbol: string, { literal, at }: { literal: Literal; at: number }): SpanFilter {
    const operator = COMPARISON_OF[symbol]
    const { kind, value } = literal
    if (operator === undefined || !fits(type, kind, value)) return this.#fail(`${name} is ${WANTED[type]}, which ${shown(literal)} is not`, HINTS[type], at)
    if ((operator === '=~' || operator === '!~') && (kind !== 'text' || (type !== 'text' && type !== 'any'))) {
      return this.#fail(`${operator} takes a text in quotes and looks at texts only`, undefined, at)
    }
    const isOrdered = operator !== '=' && operator !== '!=' && operator !== '=~' && operator !== '!~'
    if (isOrdered && ['boolean', 'nil', 'keyword'].includes(kind)) return this.#fail(`${shown(literal)} has no order: = and != compare it`, undefined, at)
    return { kind: 'compare', field, operator, value }
  }

  #stage(): void {
    const token = this.#advance()
    if (token.text === 'select' && token.kind === 'word') return this.#select()
    const problem = `the stage ${JSON.stringify(token.text)} is not supported`
    return METRICS.test(token.text) ? this.#fail(problem, ASK_METRICS, token.at) : this.#fail(problem, `Of stages there is select(…). ${NARROW}`, token.at)
  }

  #select(): void {
    this.#expect('(')
    do {
      const token = this.#advance()
      const field = fieldOf(token, this.#query) ?? this.#fail(`${JSON.stringify(token.text)} is no field`, undefined, token.at)
      this.#fields.push(field)
    } while (this.#take(','))
    this.#expect(')')
  }

  /** `with(most_recent=true)` asks for what is done anyway. */
  #hints(): void {
    this.#next += 1
    this.#expect('(')
    const name = this.#advance()
    if (name.text !== 'most_recent') this.#fail(`the hint ${JSON.stringify(name.text)} is not known`, 'The newest traces are always found first: with(…) can be left out.', name.at)
    this.#expect('=')
    const value = this.#advance()
    if (value.text !== 'true' && value.text !== 'false') this.#fail('true or false is expected', undefined, value.at)
    this.#expect(')')
  }
}

const COMPARISON_OF: Readonly<Record<string, Comparison>> = { ...FLIPPED, '<': '<', '<=': '<=', '>': '>', '>=': '>=', '=~': '=~', '!~': '!~' }

/** int64, or as near as a double comes. */
function integer(digits: string): bigint | number {
  const value = BigInt(digits)
  return value < 1n << 63n ? value : Number(digits)
}

const WANTED: Readonly<Record<FieldType, string>> = { text: 'a text', kind: 'a kind', status: 'a status', nanoseconds: 'a duration', any: 'a value' }
const HINTS: Readonly<Record<FieldType, string>> = {
  text: 'Texts stand in quotes: name="GET /cart".',
  kind: `Kinds are ${KEYWORDS.kind.join(', ')}, without quotes.`,
  status: `Statuses are ${KEYWORDS.status.join(', ')}, without quotes.`,
  nanoseconds: 'Durations have a unit: 100ms, 1.5s, 2m.',
  any: 'Texts stand in quotes; numbers, true and false do not.',
}

function shown({ value }: Literal): string {
  return typeof value === 'string' ? JSON.stringify(value) : value === null ? 'nil' : String(value)
}

function fits(type: FieldType, kind: Literal['kind'], value: FilterValue): boolean {
  switch (type) {
    case 'any':
      return kind !== 'keyword'
    case 'text':
      return kind === 'text' || kind === 'nil'
    case 'nanoseconds':
      // A plain number is nanoseconds, as in Tempo.
      return kind === 'nanoseconds' || kind === 'number'
    case 'kind':
    case 'status':
      return kind === 'nil' || (kind === 'keyword' && typeof value === 'string' && KEYWORDS[type].includes(value))
  }
}

/**
 * Parses a query.
 *
 * @throws AndonError bad_query with the column and what to do instead
 * @example parseTraceQl('{resource.service.name="shop" && duration>1s}')
 */
export function parseTraceQl(query: string): TraceQl {
  return new Parser(query).parse()
}
