// From the words of a Go template to its tree.
import { type Piece, readPieces, templateError, type Token } from './tokens.ts'

/** Something with a value. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }
  | { readonly kind: 'fields'; readonly of: Operand; readonly path: readonly string[] }

/** A value, or a function before its arguments. */
export type Command = readonly Operand[]

/** Commands of which each gives its value to the next as last argument. */
export interface Pipeline {
  readonly commands: readonly Command[]
  /** Variables that take the value: two only in `range`. */
  readonly variables: readonly string[]
  readonly isNew: boolean
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'if' | 'with' | 'range'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] }
  | { readonly kind: 'call'; readonly name: string; readonly pipeline: Pipeline | undefined }
  | { readonly kind: 'break' | 'continue' }

export interface Template {
  readonly body: readonly Node[]
  readonly defined: ReadonlyMap<string, readonly Node[]>
}

const MAX_DEPTH = 50

function numberOf(text: string): number | bigint {
  const plain = text.replaceAll('_', '')
  if (/^[+-]?\d+$/.test(plain)) return BigInt(plain.replace('+', ''))
  const isHex = /^[+-]?0[xX]/.test(plain)
  if (!isHex) return Number(plain)
  return plain.startsWith('-') ? -BigInt(plain.slice(1)) : BigInt(plain.replace('+', ''))
}

const CONSTANTS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['nil', null],
])

/** Reads one action's pipeline. */
class PipelineReader {
  readonly #tokens: readonly Token[]
  #at: number
  #depth = 0

  constructor(tokens: readonly Token[], at: number) {
    this.#tokens = tokens
    this.#at = at
  }

  /** The pipeline that the rest of the action is. */
  all(variablesMax: number): Pipeline {
    const pipeline = this.#pipeline(variablesMax)
    const next = this.#tokens[this.#at]
    if (next !== undefined) throw templateError(`unexpected "${next.text}" in an action`)
    return pipeline
  }

  #is(text: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.kind === 'punctuation' && token.text === text
  }

  #variables(max: number): Pick<Pipeline, 'variables' | 'isNew'> {
    const start = this.#at
    const variables: string[] = []
    while (variables.length < max && this.#tokens[this.#at]?.kind === 'variable') {
      variables.push(this.#tokens[this.#at]?.text ?? '')
      this.#at += 1
      if (this.#is(':=') || this.#is('=')) {
        const isNew = this.#is(':=')
        this.#at += 1
        return { variables, isNew }
      }
      if (!this.#is(',')) break
      this.#at += 1
    }
    this.#at = start
    return { variables: [], isNew: false }
  }

  #pipeline(variablesMax: number): Pipeline {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw templateError('parentheses are nested too deeply')
    const { variables, isNew } = this.#variables(variablesMax)
    const commands = [this.#command()]
    while (this.#is('|')) {
      this.#at += 1
      const command = this.#command()
      if (command[0]?.kind === 'constant') throw templateError('only a function can take the value of a pipeline')
      commands.push(command)
    }
    this.#depth -= 1
    return { commands, variables, isNew }
  }

  #command(): Command {
    const operands: Operand[] = []
    while (this.#at < this.#tokens.length && !this.#is('|') && !this.#is(')')) operands.push(this.#operand())
    if (operands.length === 0) throw templateError('an action or a pipeline without a value')
    return operands
  }

  #operand(): Operand {
    const token = this.#tokens[this.#at]
    this.#at += 1
    const first = this.#first(token)
    const path: string[] = token?.kind === 'field' ? [token.text] : []
    for (;;) {
      const next = this.#tokens[this.#at]
      if (next?.kind !== 'field' || next.spaced) break
      path.push(next.text)
      this.#at += 1
    }
    return path.length === 0 ? first : { kind: 'fields', of: first, path }
  }

  #first(token: Token | undefined): Operand {
    switch (token?.kind) {
      case 'string':
        return { kind: 'constant', value: token.text }
      case 'char':
        return { kind: 'constant', value: BigInt(token.text) }
      case 'number':
        return { kind: 'constant', value: numberOf(token.text) }
      case 'variable':
        return { kind: 'variable', name: token.text }
      case 'field':
        return { kind: 'dot' }
      case 'identifier': {
        const constant = CONSTANTS.get(token.text)
        return constant === undefined ? { kind: 'function', name: token.text } : { kind: 'constant', value: constant }
      }
      case 'punctuation':
      case undefined:
        return this.#punctuated(token)
    }
  }

  #punctuated(token: Token | undefined): Operand {
    if (token?.text === '.') return { kind: 'dot' }
    if (token?.text !== '(') throw templateError(token === undefined ? 'a value is missing' : `unexpected "${token.text}" in an action`)
    const pipeline = this.#pipeline(0)
    if (!this.#is(')')) throw templateError('a parenthesis is not closed')
    this.#at += 1
    return { kind: 'pipeline', pipeline }
  }
}

/** Builds the tree from pieces, in order. */
class TreeReader {
  readonly #pieces: readonly Piece[]
  readonly defined = new Map<string, readonly Node[]>()
  #at = 0
  #depth = 0
  #loops = 0

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces
  }

  /** Nodes up to `{{ end }}` or `{{ else … }}`, or to the end of the template where nothing is open. */
  list(isOpen: boolean): { readonly nodes: Node[]; readonly stop: readonly Token[] } {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw templateError('actions are nested too deeply')
    const nodes: Node[] = []
    for (;;) {
      const piece = this.#pieces[this.#at]
      if (piece === undefined) {
        if (isOpen) throw templateError('{{ end }} is missing')
        return { nodes, stop: [] }
      }
      this.#at += 1
      if (piece.kind === 'text') {
        nodes.push(piece)
        continue
      }
      const word = piece.tokens[0]?.kind === 'identifier' ? piece.tokens[0].text : ''
      if (word === 'end' || word === 'else') {
        if (!isOpen) throw templateError(`unexpected {{ ${word} }}`)
        this.#depth -= 1
        return { nodes, stop: piece.tokens }
      }
      nodes.push(...this.#action(word, piece.tokens))
    }
  }

  #action(word: string, tokens: readonly Token[]): Node[] {
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return [this.#branch(word, tokens, 1)]
      case 'define':
        this.#define(tokens)
        return []
      case 'block': {
        const name = this.#define(tokens.slice(0, 2))
        return [{ kind: 'call', name, pipeline: new PipelineReader(tokens, 2).all(0) }]
      }
      case 'template': {
        const name = nameOf(tokens)
        return [{ kind: 'call', name, pipeline: tokens.length > 2 ? new PipelineReader(tokens, 2).all(0) : undefined }]
      }
      case 'break':
      case 'continue':
        if (tokens.length === 1) {
          if (this.#loops === 0) throw templateError(`{{ ${word} }} outside of {{ range }}`)
          return [{ kind: word }]
        }
    }
    return [{ kind: 'print', pipeline: new PipelineReader(tokens, 0).all(1) }]
  }

  #branch(kind: 'if' | 'with' | 'range', tokens: readonly Token[], from: number): Node {
    const pipeline = new PipelineReader(tokens, from).all(kind === 'range' ? 2 : 1)
    if (kind === 'range') this.#loops += 1
    const { nodes: body, stop } = this.list(true)
    if (kind === 'range') this.#loops -= 1
    return { kind, pipeline, body, otherwise: this.#otherwise(kind, stop) }
  }

  #otherwise(kind: 'if' | 'with' | 'range', stop: readonly Token[]): readonly Node[] {
    if (stop[0]?.text === 'end') {
      if (stop.length > 1) throw templateError('{{ end }} takes no arguments')
      return []
    }
    if (stop.length === 1) {
      const { nodes, stop: last } = this.list(true)
      if (last[0]?.text !== 'end') throw templateError('{{ else }} twice')
      return nodes
    }
    const word = stop[1]?.text
    if ((word === 'if' && kind === 'if') || (word === 'with' && kind === 'with')) return [this.#branch(word, stop, 2)]
    throw templateError(`unexpected {{ else ${word ?? ''} }}`)
  }

  #define(tokens: readonly Token[]): string {
    const name = nameOf(tokens)
    const { nodes, stop } = this.list(true)
    if (stop[0]?.text !== 'end') throw templateError('{{ else }} in a {{ define }}')
    this.defined.set(name, nodes)
    return name
  }
}

function nameOf(tokens: readonly Token[]): string {
  const name = tokens[1]
  if (name?.kind !== 'string') throw templateError(`{{ ${tokens[0]?.text ?? ''} }} needs a quoted name`)
  return name.text
}

/**
 * Reads a template.
 *
 * @throws AndonError bad_rules
 */
export function readTemplate(text: string): Template {
  const reader = new TreeReader(readPieces(text))
  const { nodes } = reader.list(false)
  return { body: nodes, defined: reader.defined }
}
