// What is read of single nodes of the lezer tree: texts, numbers, durations, matchers; errors with their position.
import type { SyntaxNode } from '@lezer/common'
import { AndonError, type LabelMatcher, type MatchOperator, type Milliseconds } from '@andon/model'
import type { NumberLiteral, Written } from './ast.ts'
import { type DurationReader, type QueryShape, readDuration } from './durations.ts'
import { isDuration, parseNumber, parseText } from './literals.ts'

/** The text of one expression and what its nodes say by themselves. */
export class TreeText {
  readonly #text: string
  readonly #durations: DurationReader

  constructor(text: string, shape?: QueryShape) {
    this.#text = text
    this.#durations = { shape, slice: (node) => this.slice(node), children: (node) => this.children(node), fail: (at, problem) => this.fail(at, problem) }
  }

  fail(at: number, problem: string): never {
    const before = this.#text.slice(0, at).split('\n')
    throw new AndonError('bad_query', `${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${problem}`)
  }

  children(node: SyntaxNode): SyntaxNode[] {
    const list: SyntaxNode[] = []
    for (let child = node.firstChild; child !== null; child = child.nextSibling) if (child.name !== 'LineComment') list.push(child)
    return list
  }

  slice(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to)
  }

  only(node: SyntaxNode): SyntaxNode {
    return this.children(node)[0] ?? this.fail(node.from, 'something is missing here')
  }

  number(node: SyntaxNode): number {
    return this.signed(node)
  }

  /** A number as it is written, with its sign or without it. */
  literal(node: SyntaxNode, as: 'signed' | 'unsigned' = 'signed'): Pick<NumberLiteral, 'value' | 'isDuration'> {
    const value = this.signed(node)
    return { value: as === 'signed' ? value : Math.abs(value), ...(isDuration(this.slice(node)) && { isDuration: true }) }
  }

  string(node: SyntaxNode): string {
    return parseText(this.slice(node)) ?? this.fail(node.from, 'the text has an unknown escape')
  }

  matcher(node: SyntaxNode, before: readonly LabelMatcher[]): LabelMatcher {
    // A text alone is the metric's name.
    if (node.name === 'QuotedLabelName') {
      if (before.some(({ name }) => name === '__name__')) this.fail(node.from, 'the metric has a name already')
      return { name: '__name__', operator: '=', value: this.string(this.only(node)) }
    }
    const [label, operator, value] = this.children(node)
    if (label === undefined || operator === undefined || value === undefined) return this.fail(node.from, 'LABEL="VALUE" is expected')
    const name = label.name === 'QuotedLabelName' ? this.string(this.only(label)) : this.slice(label)
    return { name, operator: this.#matchOperator(operator), value: this.string(value) }
  }

  #matchOperator(node: SyntaxNode): MatchOperator {
    const text = this.slice(node)
    return text === '=' || text === '!=' || text === '=~' || text === '!~' ? text : this.fail(node.from, `"${text}" does not compare labels`)
  }

  duration(node: SyntaxNode): Milliseconds {
    return readDuration(node, this.#durations)
  }

  positive(node: SyntaxNode | undefined, parent: SyntaxNode): Milliseconds {
    const duration = node === undefined ? 0 : this.duration(node)
    // NaN: it depends on the query, and is checked when there is one.
    return duration > 0 || Number.isNaN(duration) ? duration : this.fail(node?.from ?? parent.from, 'the duration must be greater than 0')
  }

  /** The text of those durations that depend on a query which is not known. */
  written(nodes: Readonly<Record<string, SyntaxNode | undefined>>): Written {
    const unknown = Object.entries(nodes).flatMap(([name, node]) => (node !== undefined && Number.isNaN(this.duration(node)) ? [[name, this.slice(node)] as const] : []))
    return unknown.length === 0 ? {} : { written: Object.fromEntries(unknown) }
  }

  labels(node: SyntaxNode | undefined): string[] {
    if (node === undefined) return []
    return this.children(node).map((label) => (label.name === 'QuotedLabelName' ? this.string(this.only(label)) : this.slice(label)))
  }

  signed(node: SyntaxNode): number {
    const [sign, text] = /^([+-]?)\s*(.*)$/s.exec(this.slice(node))?.slice(1) ?? []
    const number = parseNumber(text ?? '') ?? this.fail(node.from, `"${this.slice(node)}" is not a number`)
    return sign === '-' ? -number : number
  }
}
