// Fills a template in.
import { FUNCTIONS, type TemplateWorld } from './functions.ts'
import { checkTemplate } from './check.ts'
import { type Command, type Node, type Operand, type Pipeline, readTemplate, type Template } from './parse.ts'
import { templateError } from './tokens.ts'
import { display, fieldOf, isList, isMap, isTrue, type Value } from './values.ts'

/** Characters of one result, and actions of one run: a rule cannot hold up its group. */
const OUTPUT_MAX = 65_536
const ACTIONS_MAX = 20_000
const CALL_DEPTH_MAX = 50

type Variables = Map<string, Value>
type Stop = 'break' | 'continue' | undefined

/** One run; variables of an inner block hide those outside. */
class Run {
  readonly #world: TemplateWorld
  readonly #defined: Template['defined']
  readonly #scopes: Variables[]
  #output = ''
  #actions = 0
  #depth = 0

  constructor(template: Template, variables: ReadonlyMap<string, Value>, world: TemplateWorld) {
    this.#world = world
    this.#defined = template.defined
    this.#scopes = [new Map(variables)]
  }

  async of(nodes: readonly Node[], dot: Value): Promise<string> {
    await this.#list(nodes, dot)
    return this.#output
  }

  #write(text: string): void {
    if (this.#output.length + text.length > OUTPUT_MAX) throw templateError('the result is longer than 64 KiB')
    this.#output += text
  }

  async #list(nodes: readonly Node[], dot: Value): Promise<Stop> {
    for (const node of nodes) {
      const stop = await this.#node(node, dot)
      if (stop !== undefined) return stop
    }
    return undefined
  }

  async #scoped(run: () => Promise<Stop>): Promise<Stop> {
    this.#scopes.push(new Map())
    const stop = await run()
    this.#scopes.pop()
    return stop
  }

  async #node(node: Node, dot: Value): Promise<Stop> {
    this.#actions += 1
    if (this.#actions > ACTIONS_MAX) throw templateError(`more than ${ACTIONS_MAX} actions`)
    switch (node.kind) {
      case 'text':
        this.#write(node.text)
        return undefined
      case 'print': {
        const value = await this.#pipeline(node.pipeline, dot)
        if (node.pipeline.variables.length === 0) this.#write(display(value))
        return undefined
      }
      case 'if':
      case 'with':
        return await this.#scoped(async () => {
          const value = await this.#pipeline(node.pipeline, dot)
          const inner = node.kind === 'with' ? value : dot
          return isTrue(value) ? await this.#list(node.body, inner) : await this.#list(node.otherwise, dot)
        })
      case 'range':
        return await this.#range(node, dot)
      case 'call':
        await this.#call(node.name, node.pipeline === undefined ? undefined : await this.#pipeline(node.pipeline, dot))
        return undefined
      case 'break':
      case 'continue':
        return node.kind
    }
  }

  async #range({ pipeline, body, otherwise }: Extract<Node, { pipeline: Pipeline; body: unknown }>, dot: Value): Promise<Stop> {
    const value = await this.#pipeline({ ...pipeline, variables: [] }, dot)
    const entries = entriesOf(value)
    if (entries.length === 0) return await this.#scoped(async () => await this.#list(otherwise, dot))
    for (const [key, each] of entries) {
      const stop = await this.#scoped(async () => {
        const [first, second] = pipeline.variables
        if (second !== undefined && first !== undefined) this.#set(first, key, pipeline.isNew)
        const last = second ?? first
        if (last !== undefined) this.#set(last, each, pipeline.isNew)
        return await this.#list(body, each)
      })
      if (stop === 'break') break
    }
    return undefined
  }

  async #call(name: string, dot: Value): Promise<void> {
    const nodes = this.#defined.get(name)
    if (nodes === undefined) throw templateError(`there is no template "${name}"`)
    this.#depth += 1
    if (this.#depth > CALL_DEPTH_MAX) throw templateError('templates call each other too deeply')
    const outer = this.#scopes.splice(1)
    await this.#list(nodes, dot)
    this.#scopes.splice(1, Infinity, ...outer)
    this.#depth -= 1
  }

  #set(name: string, value: Value, isNew: boolean): void {
    const scope = isNew ? this.#scopes.at(-1) : this.#scopes.findLast((each) => each.has(name))
    if (scope === undefined) throw templateError(`the variable ${name} is not declared`)
    scope.set(name, value)
  }

  async #pipeline({ commands, variables, isNew }: Pipeline, dot: Value): Promise<Value> {
    let value: Value
    let isFirst = true
    for (const command of commands) {
      value = await this.#command(command, dot, isFirst ? [] : [value])
      isFirst = false
    }
    const [name] = variables
    if (name !== undefined) this.#set(name, value, isNew)
    return value
  }

  async #command([head, ...rest]: Command, dot: Value, last: readonly Value[]): Promise<Value> {
    if (head === undefined) throw templateError('a value is missing')
    if (head.kind === 'function') return await this.#function(head.name, rest, dot, last)
    if (rest.length > 0 || last.length > 0) throw templateError('only functions take arguments')
    return await this.#operand(head, dot)
  }

  async #function(name: string, operands: readonly Operand[], dot: Value, last: readonly Value[]): Promise<Value> {
    if (name === 'and' || name === 'or') return await this.#logical(name, operands, dot, last)
    const args: Value[] = []
    for (const operand of operands) args.push(await this.#operand(operand, dot))
    args.push(...last)
    if (name === 'tmpl') return await this.#inner(args)
    const run = FUNCTIONS.get(name)
    if (run === undefined) throw templateError(`function "${name}" not defined`)
    return await run(args, this.#world)
  }

  /** What comes behind the one that decides is not evaluated. */
  async #logical(name: 'and' | 'or', operands: readonly Operand[], dot: Value, last: readonly Value[]): Promise<Value> {
    let value: Value
    for (const operand of operands) {
      value = await this.#operand(operand, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    return last.length > 0 ? last[0] : value
  }

  async #inner([name, dot]: readonly Value[]): Promise<string> {
    const outer = this.#output
    this.#output = ''
    await this.#call(display(name), dot)
    const inner = this.#output
    this.#output = outer
    return inner
  }

  async #operand(operand: Operand, dot: Value): Promise<Value> {
    switch (operand.kind) {
      case 'constant':
        return operand.value
      case 'dot':
        return dot
      case 'variable': {
        const scope = this.#scopes.findLast((each) => each.has(operand.name))
        if (scope === undefined) throw templateError(`undefined variable "${operand.name}"`)
        return scope.get(operand.name)
      }
      case 'function':
        return await this.#function(operand.name, [], dot, [])
      case 'pipeline':
        return await this.#pipeline(operand.pipeline, dot)
      case 'fields': {
        let value = await this.#operand(operand.of, dot)
        for (const name of operand.path) {
          if (!isMap(value)) throw templateError(`there is no field ${name} in ${display(value)}`)
          value = fieldOf(value, name)
        }
        return value
      }
    }
  }
}

function entriesOf(value: Value): (readonly [Value, Value])[] {
  if (isList(value)) return value.map((each, index) => [BigInt(index), each])
  if (isMap(value)) {
    return Object.keys(value)
      .toSorted()
      .map((key) => [key, value[key]])
  }
  if (typeof value === 'bigint') return Array.from({ length: Number(value < 0n ? 0n : value > 10_000n ? 10_000n : value) }, (_, index) => [BigInt(index), BigInt(index)])
  if (value === null || value === undefined) return []
  throw templateError(`range cannot go over ${display(value)}`)
}

/**
 * The text of a template.
 *
 * @param data - what `.` is
 * @param variables - such as `$labels`, by name with the dollar sign
 * @throws AndonError bad_rules, or what a query in it threw
 * @example await runTemplate(parseTemplate('{{ . | humanize }}B'), 1500, new Map(), world) // '1.5kB'
 */
export async function runTemplate(template: Template, data: Value, variables: ReadonlyMap<string, Value>, world: TemplateWorld): Promise<string> {
  return await new Run(template, new Map([...variables, ['$', data]]), world).of(template.body, data)
}

/**
 * Reads a text of a rule.
 *
 * @throws AndonError bad_rules for what can be known to be wrong without its values: as Go does, also functions and variables that there are not
 */
export function parseTemplate(text: string): Template {
  const template = readTemplate(text)
  checkTemplate(template)
  return template
}

export type { Template }
