// What can be known to be wrong of a template before it is filled in: functions and variables that there are not.
import { FUNCTIONS } from './functions.ts'
import type { Node, Operand, Pipeline, Template } from './parse.ts'
import { templateError } from './tokens.ts'

/** Functions that take part in how a template is run. */
const BUILT_IN: ReadonlySet<string> = new Set(['and', 'or', 'tmpl'])
/** Variables of the texts of rules. */
const OF_RULES = ['$', '$labels', '$externalLabels', '$externalURL', '$value'] as const

type Scope = Set<string>

function checkOperand(operand: Operand, scope: Scope): void {
  switch (operand.kind) {
    case 'function':
      if (!FUNCTIONS.has(operand.name) && !BUILT_IN.has(operand.name)) throw templateError(`function "${operand.name}" not defined`)
      return
    case 'variable':
      if (!scope.has(operand.name)) throw templateError(`undefined variable "${operand.name}"`)
      return
    case 'fields':
      checkOperand(operand.of, scope)
      return
    case 'pipeline':
      checkPipeline(operand.pipeline, scope)
      return
    case 'constant':
    case 'dot':
  }
}

/** What it declares is known from here on. */
function checkPipeline({ commands, variables, isNew }: Pipeline, scope: Scope): void {
  for (const operand of commands.flat()) checkOperand(operand, scope)
  for (const name of variables) {
    if (!isNew && !scope.has(name)) throw templateError(`undefined variable "${name}"`)
    scope.add(name)
  }
}

function checkNodes(nodes: readonly Node[], scope: Scope): void {
  for (const node of nodes) {
    switch (node.kind) {
      case 'print':
        checkPipeline(node.pipeline, scope)
        break
      case 'if':
      case 'with':
      case 'range': {
        const inner = new Set(scope)
        checkPipeline(node.pipeline, inner)
        checkNodes(node.body, new Set(inner))
        checkNodes(node.otherwise, new Set(inner))
        break
      }
      case 'call':
        if (node.pipeline !== undefined) checkPipeline(node.pipeline, new Set(scope))
        break
      case 'text':
      case 'break':
      case 'continue':
    }
  }
}

/** @throws AndonError bad_rules */
export function checkTemplate({ body, defined }: Template): void {
  checkNodes(body, new Set(OF_RULES))
  for (const nodes of defined.values()) checkNodes(nodes, new Set(['$']))
}
