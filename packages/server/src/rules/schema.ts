// Files of rules, as Prometheus has them.
// @see https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
import { readFileSync } from 'node:fs'
import { AndonError, type Labels, type Milliseconds } from '@andon/model'
import { type Expr, parse, parseDuration, typeOf } from '@andon/promql'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import { filesOf } from '../runtime/file-pattern.ts'
import type { AlertRule, RecordingRule, RuleBase, RuleGroup } from './definition.ts'
import { readSimpleRules, SIMPLE_GROUP } from './simple.ts'
import { parseTemplate, type Template } from './template/run.ts'

export type { AlertRule, RecordingRule, RuleGroup } from './definition.ts'

const LABEL = /^[a-zA-Z_]\w*$/
const METRIC = /^[a-zA-Z_:][\w:]*$/
const GROUP_KEYS: ReadonlySet<string> = new Set(['name', 'interval', 'limit', 'query_offset', 'labels', 'rules'])
const RULE_KEYS: ReadonlySet<string> = new Set(['record', 'alert', 'expr', 'for', 'keep_firing_for', 'labels', 'annotations'])
const GROUPS_MAX = 10_000
const FILE_MAX = 4 * 1024 * 1024
const RULES_URL = 'https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/'

/** Reads one file; every problem is told with its line. */
class RuleFile {
  readonly #file: string
  readonly #text: string
  readonly #lines = new LineCounter()

  constructor(text: string, file: string) {
    this.#file = file
    this.#text = text
  }

  #refuse(at: unknown, problem: string): never {
    const range = isNode(at) ? at.range : undefined
    const line = range == null ? 1 : this.#lines.linePos(range[0]).line
    throw new AndonError('bad_rules', `${this.#file}:${line}: ${problem}`, { hint: `A file of rules is written as Prometheus has it: ${RULES_URL}.` })
  }

  groups(): RuleGroup[] {
    const document = parseDocument(this.#text, { lineCounter: this.#lines })
    const [problem] = document.errors
    if (problem !== undefined) throw new AndonError('bad_rules', `${this.#file}:${problem.linePos?.[0].line ?? 1}: ${problem.message.split('\n')[0] ?? ''}`)
    const root = document.contents
    if (root === null) return []
    const top = this.#map(root, new Set(['groups', 'simple']), 'the file')
    const list = this.#list(top.get('groups'), 'groups')
    if (list.length > GROUPS_MAX) this.#refuse(root, `more than ${GROUPS_MAX} groups`)
    const names = new Set<string>(top.has('simple') ? [SIMPLE_GROUP] : [])
    const groups = list.map((item) => {
      const group = this.#group(item)
      if (names.has(group.name)) this.#refuse(item, `the group "${group.name}" stands twice in this file`)
      names.add(group.name)
      return group
    })
    return top.has('simple') ? [...groups, this.#simple(top.get('simple'))] : groups
  }

  /** Rules in the simple form, which Prometheus does not have. */
  #simple(node: Node | null | undefined): RuleGroup {
    const items = this.#list(node, SIMPLE_GROUP)
    const lines = items.map((item) => (isNode(item) && item.range != null ? this.#lines.linePos(item.range[0]).line : 1))
    const values = items.map((item): unknown => (isNode(item) ? item.toJSON() : item))
    const rules = readSimpleRules(values, (problem, index) => this.#refuse(items[index] ?? node, problem)).map((rule, index) => ({ ...rule, line: lines[index] ?? 1 }))
    return { name: SIMPLE_GROUP, file: this.#file, intervalMs: undefined, limit: 0, queryOffsetMs: undefined, rules }
  }

  #map(node: unknown, keys: ReadonlySet<string> | undefined, what: string): Map<string, Node | null> {
    if (!isMap(node)) return this.#refuse(node, `${what} must hold names and values`)
    const found = new Map<string, Node | null>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      if (keys !== undefined && !keys.has(name)) this.#refuse(key, `${what} has no "${name}"; it may have ${[...keys].join(', ')}`)
      if (found.has(name)) this.#refuse(key, `"${name}" stands twice`)
      found.set(name, isNode(value) ? value : null)
    }
    return found
  }

  #list(node: Node | null | undefined, what: string): readonly unknown[] {
    if (node === undefined || node === null) return []
    return isSeq(node) ? node.items : this.#refuse(node, `${what} must be a list`)
  }

  #string(node: Node | null | undefined, parent: unknown, what: string): string {
    const value = isScalar(node) ? node.value : undefined
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(isScalar(node) ? (node.source ?? value) : value)
    return this.#refuse(node ?? parent, `${what} must be a text`)
  }

  #duration(node: Node | null | undefined, what: string): Milliseconds | undefined {
    if (node === undefined || node === null) return undefined
    const ms = parseDuration(this.#string(node, node, what))
    return ms ?? this.#refuse(node, `${what} must be a duration, such as 5m`)
  }

  #labels(node: Node | null | undefined, what: string): Labels {
    if (node === undefined || node === null) return {}
    return Object.fromEntries(
      [...this.#map(node, undefined, what)].map(([name, value]) => {
        if (!LABEL.test(name) || name === '__name__') this.#refuse(node, `"${name}" is not a name for ${what}`)
        const text = isScalar(value) && (value.value === null || value.value === '') ? '' : this.#string(value, node, `${what}.${name}`)
        return [name, text]
      }),
    )
  }

  #group(node: unknown): RuleGroup {
    const given = this.#map(node, GROUP_KEYS, 'a group')
    const name = this.#string(given.get('name'), node, 'the name of a group')
    const limitNode = given.get('limit')
    const limit = limitNode == null ? 0 : isScalar(limitNode) ? limitNode.value : undefined
    if (typeof limit !== 'number' || !Number.isSafeInteger(limit) || limit < 0) return this.#refuse(limitNode, 'limit must be a whole number from 0')
    const intervalMs = this.#duration(given.get('interval'), 'interval')
    if (intervalMs !== undefined && intervalMs < 1000) this.#refuse(given.get('interval'), 'interval must be 1s or longer')
    const shared = this.#labels(given.get('labels'), 'labels')
    const rules = this.#list(given.get('rules'), 'rules').map((rule) => this.#rule(rule, shared))
    return { name, file: this.#file, intervalMs, limit, queryOffsetMs: this.#duration(given.get('query_offset'), 'query_offset'), rules }
  }

  #rule(node: unknown, shared: Labels): AlertRule | RecordingRule {
    const given = this.#map(node, RULE_KEYS, 'a rule')
    const hasRecord = given.has('record')
    if (hasRecord === given.has('alert')) return this.#refuse(node, 'a rule has either record or alert')
    const expression = this.#string(given.get('expr'), node, 'expr')
    this.#checked(given.get('expr') ?? node, expression, hasRecord)
    const line = isNode(node) && node.range != null ? this.#lines.linePos(node.range[0]).line : 1
    const labels = { ...shared, ...this.#labels(given.get('labels'), 'labels') }
    if (hasRecord) return this.#recording(given, { expression, labels, line })
    return this.#alert(node, given, { expression, labels, line })
  }

  #checked(node: unknown, expression: string, isRecord: boolean): void {
    let expr: Expr
    try {
      expr = parse(expression)
    } catch (error) {
      return this.#refuse(node, `expr: ${error instanceof Error ? error.message : String(error)}`)
    }
    const type = typeOf(expr)
    if (type !== 'instant vector' && type !== 'scalar') this.#refuse(node, `expr must be an instant vector or a scalar to be ${isRecord ? 'recorded' : 'an alert'}, not a ${type}`)
  }

  #recording(given: ReadonlyMap<string, Node | null>, base: RuleBase): RecordingRule {
    const name = this.#string(given.get('record'), undefined, 'record')
    if (!METRIC.test(name)) this.#refuse(given.get('record'), `"${name}" is not the name of a metric`)
    for (const key of ['for', 'keep_firing_for', 'annotations']) if (given.has(key)) this.#refuse(given.get(key), `a recording rule has no ${key}`)
    return { kind: 'record', name, ...base }
  }

  #alert(node: unknown, given: ReadonlyMap<string, Node | null>, base: RuleBase): AlertRule {
    const annotations = this.#labels(given.get('annotations'), 'annotations')
    const templates = (texts: Labels): Map<string, Template> =>
      new Map(
        Object.entries(texts).map(([name, text]) => {
          try {
            return [name, parseTemplate(text)]
          } catch (error) {
            return this.#refuse(node, `${name}: ${error instanceof Error ? error.message : String(error)}`)
          }
        }),
      )
    return {
      kind: 'alert',
      name: this.#string(given.get('alert'), node, 'alert'),
      forMs: this.#duration(given.get('for'), 'for') ?? 0,
      keepFiringForMs: this.#duration(given.get('keep_firing_for'), 'keep_firing_for') ?? 0,
      annotations,
      templates: { labels: templates(base.labels), annotations: templates(annotations) },
      ...base,
    }
  }
}

/**
 * Reads the text of a file of rules.
 *
 * @param file - by which errors call it
 * @throws AndonError bad_rules naming file and line
 */
export function readRules(text: string, file: string): RuleGroup[] {
  if (text.length > FILE_MAX) throw new AndonError('bad_rules', `${file} is longer than ${FILE_MAX / 1024 / 1024} MiB`)
  return new RuleFile(text, file).groups()
}

function readFile(file: string): RuleGroup[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new AndonError('bad_rules', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return readRules(text, file)
}

/**
 * Reads files of rules.
 *
 * @param paths - of files; the last part of each may hold `*`
 * @throws AndonError bad_rules, also when a file cannot be read
 */
export function readRuleFiles(paths: readonly string[]): RuleGroup[] {
  return filesOf(paths, (problem) => new AndonError('bad_rules', problem)).flatMap(readFile)
}
