// Tests of rules, in the form of `promtool test rules`.
// @see https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AndonError, type Labels, labelsKey, type Milliseconds, sortedPairs } from '@andon/model'
import { parseDuration } from '@andon/promql'
import { parse as parseYaml } from 'yaml'
import { Engine } from '../query/engine.ts'
import { MemorySource } from '../query/memory/memory-source.ts'
import { histogramOf, labelsOf } from '../query/memory/notation.ts'
import { histogramText, numberText } from '../query/promql/number-text.ts'
import { GroupEvaluator } from './group.ts'
import type { InstantQuery } from './missing.ts'
import { type RuleGroup, readRuleFiles } from './schema.ts'

/** What a file of tests came to. */
export interface RuleTestResult {
  readonly tests: number
  /** What is not as expected, each with what was found. */
  readonly failures: readonly string[]
}

type Given = Readonly<Record<string, unknown>>

const MINUTE: Milliseconds = 60_000
/** Evaluations of one test: a test cannot run for ever. */
const STEPS_MAX = 100_000
const LIMITS = { querySamples: 50_000_000, querySteps: 11_000, queryMs: 120_000 }

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === ''

class TestFile {
  readonly #file: string
  readonly #failures: string[] = []

  constructor(file: string) {
    this.#file = file
  }

  refuse(problem: string): never {
    throw new AndonError('bad_rules', `${this.#file}: ${problem}`, { hint: 'Tests of rules are written as for promtool test rules.' })
  }

  map(value: unknown, what: string, keys: readonly string[]): Given {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.refuse(`${what} must hold names and values`)
    const given: Given = Object.fromEntries(Object.entries(value))
    const unknown = Object.keys(given).find((key) => !keys.includes(key))
    return unknown === undefined ? given : this.refuse(`${what} has no "${unknown}"; it may have ${keys.join(', ')}`)
  }

  list(value: unknown, what: string): readonly unknown[] {
    if (isEmpty(value)) return []
    return Array.isArray(value) ? value : this.refuse(`${what} must be a list`)
  }

  text(value: unknown, what: string): string {
    return typeof value === 'string' ? value : this.refuse(`${what} must be a text`)
  }

  duration(value: unknown, what: string, otherwise: Milliseconds): Milliseconds {
    if (value === undefined) return otherwise
    const text = this.text(value, what)
    return text === '0' ? 0 : (parseDuration(text) ?? this.refuse(`${what} must be a duration, such as 5m`))
  }

  /** Seconds since 1970, or a time as RFC 3339 has it; 0 when absent. */
  time(value: unknown, what: string): Milliseconds {
    if (value === undefined) return 0
    const text = this.text(value, what)
    const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN
    return Number.isSafeInteger(Math.round(time)) ? Math.round(time) : this.refuse(`${what} must be seconds since 1970, or a time such as 2026-01-05T12:00:00Z`)
  }

  labels(value: unknown, what: string): Labels {
    if (isEmpty(value)) return {}
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.refuse(`${what} must hold names and texts`)
    return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, this.text(text, `${what}.${name}`)]))
  }

  fail(failure: string): void {
    this.#failures.push(failure)
  }

  get failures(): readonly string[] {
    return this.#failures
  }
}

interface Alerted {
  readonly labels: Labels
  readonly annotations: Labels
}

interface AlertTest {
  readonly at: Milliseconds
  readonly name: string
  readonly expected: readonly Alerted[]
}

function labelsText(labels: Labels): string {
  return `{${sortedPairs(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`
}

function alertsText(alerts: readonly Alerted[]): string {
  return alerts.length === 0 ? 'none' : alerts.map(({ labels, annotations }) => `labels ${labelsText(labels)}, annotations ${labelsText(annotations)}`).join('; ')
}

const keyOf = ({ labels, annotations }: Alerted): string => `${labelsKey(labels)}\n${labelsKey(annotations)}`
const sorted = (texts: readonly string[]): string => texts.toSorted().join('\n')

/** A value of a series as it is told, and as a number where it is one. */
interface Sample {
  readonly labels: string
  readonly shown: string
  readonly value: number | undefined
}

const sampleOf = (labels: string, value: number): Sample => ({ labels, shown: numberText(value), value })
const samplesText = (samples: readonly Sample[]): string => samples.map(({ labels, shown }) => `${labels} ${shown}`).join(', ') || 'nothing'

/** Whether two numbers are the same but for the last bit of their mantissas. */
function isNext(a: number, b: number): boolean {
  const [first = 0n, second = 0n] = new BigInt64Array(Float64Array.of(a, b).buffer)
  const apart = first - second
  return Math.sign(a) === Math.sign(b) && apart >= -1n && apart <= 1n
}

function areAlike(found: readonly Sample[], expected: readonly Sample[], isFuzzy: boolean): boolean {
  const order = (samples: readonly Sample[]): Sample[] => samples.toSorted((a, b) => (a.labels === b.labels ? (a.value ?? 0) - (b.value ?? 0) : a.labels < b.labels ? -1 : 1))
  const others = order(expected)
  return found.length === expected.length && order(found).every((one, index) => isSame(one, others[index], isFuzzy))
}

function isSame(one: Sample, other: Sample | undefined, isFuzzy: boolean): boolean {
  if (one.labels !== other?.labels) return false
  return one.shown === other.shown || (isFuzzy && one.value !== undefined && other.value !== undefined && isNext(one.value, other.value))
}

interface TestSettings {
  readonly evaluationMs: Milliseconds
  /** Whether the last bit of numbers is left out of account. */
  readonly isFuzzy: boolean
}

/** One test: its series, its evaluations, its expectations. */
class RuleTest {
  readonly #file: TestFile
  readonly #name: string
  readonly #source: MemorySource = new MemorySource()
  readonly #query: InstantQuery
  readonly #engine: Engine
  readonly #groups: readonly GroupEvaluator[]
  readonly #given: Given
  readonly #isFuzzy: boolean
  /** When its series begin; times of expectations count from it. */
  readonly #start: Milliseconds
  #now: Milliseconds = 0

  constructor(file: TestFile, given: Given, name: string, groups: readonly RuleGroup[], { evaluationMs, isFuzzy }: TestSettings) {
    this.#file = file
    this.#isFuzzy = isFuzzy
    this.#start = file.time(given['start_timestamp'], 'start_timestamp')
    this.#given = given
    this.#name = name
    this.#engine = new Engine(this.#source, LIMITS)
    this.#query = async (expression, time) => {
      const result = await this.#engine.instant(expression, time)
      if (result.type === 'scalar') return [{ labels: {}, value: result.value }]
      return result.type === 'vector' ? result.samples.filter(({ histogram }) => histogram === undefined) : []
    }
    const world = {
      query: this.#query,
      write: (points: readonly { labels: Labels; time: number; value: number; isStale: boolean }[]): Promise<void> => {
        for (const { labels, time, value, isStale } of points) this.#source.add(labels, time, isStale ? 'stale' : value)
        return Promise.resolve()
      },
      keep: () => Promise.resolve(),
      told: () => Promise.resolve(),
      now: () => this.#now,
      externalUrl: given['external_url'] === undefined ? '' : file.text(given['external_url'], 'external_url'),
      externalLabels: file.labels(given['external_labels'], 'external_labels'),
    }
    this.#groups = groups.map((group) => new GroupEvaluator(group, world, { intervalMs: evaluationMs, queryOffsetMs: 0 }))
  }

  /** @returns how many expectations there are */
  async run(evaluationMs: Milliseconds): Promise<number> {
    this.#load(evaluationMs)
    const alertTests = this.#alertTests()
    const queryTests = this.#file.list(this.#given['promql_expr_test'], 'promql_expr_test').map((test) => this.#file.map(test, 'promql_expr_test', ['expr', 'eval_time', 'exp_samples']))
    const ends = [...alertTests.map(({ at }) => at), ...queryTests.map(({ eval_time: at }) => this.#file.duration(at, 'eval_time', 0))]
    const end = Math.max(0, ...ends)
    if (end / evaluationMs > STEPS_MAX) this.#file.refuse(`${this.#name}: more than ${STEPS_MAX} evaluations`)
    for (let since = 0; since <= end; since += evaluationMs) {
      this.#now = this.#start + since
      for (const group of this.#groups) if (since % group.intervalMs === 0) await this.#evaluate(group)
      // An expectation between two evaluations is held against the one before it.
      for (const test of alertTests) if (test.at >= since && test.at < since + evaluationMs) this.#checkAlerts(test)
    }
    for (const test of queryTests) await this.#checkQuery(test)
    return alertTests.length + queryTests.length
  }

  async #evaluate(group: GroupEvaluator): Promise<void> {
    await group.evaluate(this.#now)
    for (const [index, { health, lastError }] of group.health.entries()) {
      if (health === 'err') this.#fail(`rule ${group.group.rules[index]?.name ?? ''} at ${(this.#now - this.#start) / 1000}s: ${lastError}`)
    }
  }

  #fail(problem: string): void {
    this.#file.fail(`${this.#name}: ${problem}`)
  }

  #load(evaluationMs: Milliseconds): void {
    const step = this.#file.duration(this.#given['interval'], 'interval', evaluationMs)
    const series = this.#file.list(this.#given['input_series'], 'input_series').map((each) => {
      const { series: metric, values } = this.#file.map(each, 'input_series', ['series', 'values'])
      return { metric: this.#file.text(metric, 'series'), values: this.#file.text(values, 'values') }
    })
    try {
      this.#source.load({ kind: 'load', step, nhcb: false, series }, this.#start)
    } catch (error) {
      this.#file.refuse(`${this.#name}: input_series: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #alertTests(): AlertTest[] {
    return this.#file.list(this.#given['alert_rule_test'], 'alert_rule_test').map((each) => {
      const { eval_time: at, alertname, exp_alerts: alerts } = this.#file.map(each, 'alert_rule_test', ['eval_time', 'alertname', 'exp_alerts'])
      const name = this.#file.text(alertname, 'alertname')
      const expected = this.#file.list(alerts, 'exp_alerts').map((alert) => {
        const { exp_labels: labels, exp_annotations: annotations } = this.#file.map(alert, 'exp_alerts', ['exp_labels', 'exp_annotations'])
        return { labels: { ...this.#file.labels(labels, 'exp_labels'), alertname: name }, annotations: this.#file.labels(annotations, 'exp_annotations') }
      })
      return { at: this.#file.duration(at, 'eval_time', 0), name, expected }
    })
  }

  #checkAlerts({ at, name, expected }: AlertTest): void {
    const rules = this.#groups.flatMap(({ alerting }) => alerting).filter(({ rule }) => rule.rule.name === name)
    if (rules.length === 0) this.#fail(`alertname ${name}, time ${at / 1000}s: there is no such alert`)
    const found = rules.flatMap(({ rule }) => [...rule.alerts.values()].filter(({ state }) => state === 'firing'))
    if (sorted(found.map(keyOf)) !== sorted(expected.map(keyOf))) this.#fail(`alertname ${name}, time ${at / 1000}s: expected ${alertsText(expected)}; found ${alertsText(found)}`)
  }

  async #checkQuery(given: Given): Promise<void> {
    const expression = this.#file.text(given['expr'], 'expr')
    const at = this.#file.duration(given['eval_time'], 'eval_time', 0)
    const expected = this.#file.list(given['exp_samples'], 'exp_samples').map((each) => {
      const { labels, value, histogram } = this.#file.map(each, 'exp_samples', ['labels', 'value', 'histogram'])
      const known = labelsText(labelsOf(labels === undefined ? '' : this.#file.text(labels, 'labels')))
      return histogram === undefined ? sampleOf(known, Number(this.#file.text(value ?? '0', 'value'))) : { labels: known, shown: histogramText(histogramOf(this.#file.text(histogram, 'histogram')).value), value: undefined }
    })
    let found: Sample[]
    try {
      const result = await this.#engine.instant(expression, this.#start + at)
      if (result.type === 'scalar') found = [sampleOf('{}', result.value)]
      else if (result.type === 'vector') found = result.samples.map(({ labels, value, histogram }) => (histogram === undefined ? sampleOf(labelsText(labels), value) : { labels: labelsText(labels), shown: histogramText(histogram), value: undefined }))
      else return this.#fail(`expr ${expression}, time ${at / 1000}s: gives a ${result.type}, not an instant vector or a scalar`)
    } catch (error) {
      return this.#fail(`expr ${expression}, time ${at / 1000}s: ${error instanceof Error ? error.message : String(error)}`)
    }
    if (!areAlike(found, expected, this.#isFuzzy)) this.#fail(`expr ${expression}, time ${at / 1000}s: expected ${samplesText(expected)}; found ${samplesText(found)}`)
  }
}

const FILE_KEYS = ['rule_files', 'evaluation_interval', 'group_eval_order', 'fuzzy_compare', 'tests']
const TEST_KEYS = ['interval', 'name', 'input_series', 'alert_rule_test', 'promql_expr_test', 'external_labels', 'external_url', 'start_timestamp']

/**
 * Runs a file of tests.
 *
 * @returns what is not as expected
 * @throws AndonError bad_rules when the file, or a file of rules that it names, cannot be read
 */
export async function runRuleTests(path: string): Promise<RuleTestResult> {
  const file = new TestFile(path)
  let content: unknown
  try {
    // Texts only: 0x20 are twenty-one zeros here, not a number.
    content = parseYaml(readFileSync(path, 'utf8'), { schema: 'failsafe' })
  } catch (error) {
    file.refuse(error instanceof Error ? error.message : String(error))
  }
  const given = file.map(content, 'the file', FILE_KEYS)
  const paths = file.list(given['rule_files'], 'rule_files').map((each) => resolve(dirname(path), file.text(each, 'rule_files')))
  const order = file.list(given['group_eval_order'], 'group_eval_order').map((each) => file.text(each, 'group_eval_order'))
  const groups = ordered(readRuleFiles(paths), order)
  const evaluationMs = file.duration(given['evaluation_interval'], 'evaluation_interval', MINUTE)
  if (evaluationMs <= 0) file.refuse('evaluation_interval must be longer than 0')
  let tests = 0
  for (const [index, each] of file.list(given['tests'], 'tests').entries()) {
    const test = file.map(each, 'a test', TEST_KEYS)
    const name = test['name'] === undefined ? `test ${index + 1}` : file.text(test['name'], 'name')
    tests += await new RuleTest(file, test, name, groups, { evaluationMs, isFuzzy: given['fuzzy_compare'] === 'true' }).run(evaluationMs)
  }
  return { tests, failures: file.failures }
}

/** Groups in the order that was asked for; those that are not named come first, as they stand in their files. */
function ordered(groups: readonly RuleGroup[], order: readonly string[]): readonly RuleGroup[] {
  return groups.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name))
}
