// Procedures for incidents: Markdown with a front matter, found for an incident by its alerts.
import { AndonError, type CheckResult, type Incident, type IncidentAlert, type Labels, type MatchedRunbook, type Milliseconds, type Runbook } from '@andon/model'
import { parse as parseQuery } from '@andon/promql'
import { parse as parseYaml } from 'yaml'
import { type Origin, Reading } from '../runtime/reading.ts'

const RUNBOOK: Origin = { hint: 'docs/reference/incidents.md shows a runbook.' }
const TEXT_MAX = 256 * 1024
const CHECKS_MAX = 30
const ACTIONS_MAX = 50
const SAMPLES_MAX = 20
/** A service in a query; filled in as an RE2 expression that matches that very name. */
const PLACE = '$service'

/**
 * Reads one runbook.
 *
 * @param name - of its file, without `.md`
 * @throws AndonError bad_config where its front matter is not understood or a query is wrong
 */
export function readRunbook(text: string, name: string, from: Runbook['from']): Runbook {
  const refuse = (what: string): never => {
    throw new AndonError('bad_config', `The runbook ${name}.md: ${what}`, RUNBOOK)
  }
  if (text.length > TEXT_MAX) refuse(`it is longer than ${TEXT_MAX} characters.`)
  const parts = /^---\r?\n(.*?)\r?\n---\r?\n?(.*)$/s.exec(text)
  if (parts === null) return refuse('it must begin with a front matter between two lines of ---.')
  let front: unknown
  try {
    front = parseYaml(parts[1] ?? '')
  } catch (error) {
    return refuse(`its front matter is no YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`)
  }
  const given = new Reading(front ?? {}, `${name}.md`, RUNBOOK).fields(['title', 'alert', 'labels', 'severity', 'owner', 'checks', 'actions'])
  const checks = given.checks.list().map((one) => {
    const check = one.fields(['title', 'query'])
    const query = check.query.text().trim()
    try {
      parseQuery(query)
    } catch (error) {
      refuse(`the query of ${one.path} is wrong: ${error instanceof Error ? error.message : ''}`)
    }
    return { title: check.title.text(), query }
  })
  const actions = given.actions.texts()
  if (checks.length > CHECKS_MAX || actions.length > ACTIONS_MAX) refuse(`it may have ${CHECKS_MAX} checks and ${ACTIONS_MAX} actions.`)
  const body = (parts[2] ?? '').trim()
  const title = given.title.text(/^#\s+(.+)$/m.exec(body)?.[1] ?? name)
  return { name, title, alerts: given.alert.texts(), labels: readLabels(given.labels), severity: given.severity.text(''), owner: given.owner.text(''), checks, actions, text: body, from }
}

function readLabels(reading: Reading): Labels {
  const entries = Object.entries(reading.orEmpty().record())
  if ((entries.length === 0 && !reading.isAbsent) || entries.some(([, text]) => typeof text !== 'string')) reading.refuse('must be a mapping of labels to texts')
  return Object.fromEntries(entries.map(([key, text]) => [key, String(text)]))
}

/** Whether a text is of a form in which `*` stands for any text. */
function isLike(text: string, form: string): boolean {
  const [head = '', ...rest] = form.split('*')
  const tail = rest.pop()
  if (tail === undefined) return text === form
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false
  let at = head.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > text.length - tail.length) return false
    at = found + part.length
  }
  return true
}

function isFor(runbook: Runbook, { rule, severity, labels }: Pick<IncidentAlert, 'rule' | 'severity' | 'labels'>): boolean {
  const wanted = Object.entries(runbook.labels)
  const isNamed = runbook.alerts.length === 0 ? wanted.length > 0 : runbook.alerts.some((form) => isLike(rule, form))
  return isNamed && (runbook.severity === '' || runbook.severity === severity) && wanted.every(([name, form]) => isLike(labels[name] ?? '', form))
}

/** The name of a runbook that an address ends with. */
function nameOf(url: string): string {
  return (url.split(/[?#]/, 1)[0] ?? '').split('/').at(-1)?.replace(/\.(?:md|html?)$/, '') ?? ''
}

/** Only what a browser opens as a page is shown as a link. */
function linkOf(url: string): string {
  return /^https?:\/\//i.test(url) ? url : ''
}

/**
 * The runbooks of an incident: those that its alerts name by the annotations `runbook` and `runbook_url`, then those that name its alerts.
 * Alerts that fire come first.
 */
export function runbooksFor({ alerts }: Pick<Incident, 'alerts'>, all: readonly Runbook[]): MatchedRunbook[] {
  const found = new Map<string, MatchedRunbook>()
  const put = (match: MatchedRunbook): void => {
    const key = match.name === '' ? match.url : match.name
    if (key !== '' && !found.has(key)) found.set(key, match)
  }
  for (const { rule, severity, labels, annotations } of alerts.toSorted((a, b) => Number(b.status === 'firing') - Number(a.status === 'firing'))) {
    const url = annotations['runbook_url'] ?? annotations['runbook'] ?? ''
    const named = all.find(({ name }) => name === annotations['runbook'] || name === nameOf(url))
    if (named !== undefined) put({ name: named.name, title: named.title, url: linkOf(url), rule })
    else if (linkOf(url) !== '') put({ name: '', title: `Runbook of ${rule}`, url: linkOf(url), rule })
    for (const runbook of all) {
      if (isFor(runbook, { rule, severity, labels })) put({ name: runbook.name, title: runbook.title, url: '', rule })
    }
  }
  return [...found.values()]
}

/** What checks are asked by. */
export type InstantQuery = (expression: string, time: Milliseconds) => Promise<readonly { readonly labels: Labels; readonly value: number }[]>

/** A query with the service filled in; any service where none is known. */
export function filledIn(query: string, service: string): string {
  const expression = service === '' ? '.+' : service.replaceAll(/[\\^$.*+?()[\]{}|]/g, (character) => `\\${character}`)
  // It stands within a text of PromQL.
  return query.replaceAll(PLACE, () => JSON.stringify(expression).slice(1, -1))
}

/** Asks the checks of a runbook; one that fails says so and does not stop the others. */
export async function runChecks({ checks }: Pick<Runbook, 'checks'>, service: string, time: Milliseconds, query: InstantQuery): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const check of checks) {
    const filled = filledIn(check.query, service)
    try {
      const samples = (await query(filled, time)).toSorted((a, b) => b.value - a.value)
      results.push({ title: check.title, query: filled, samples: samples.slice(0, SAMPLES_MAX).map(({ labels, value }) => ({ labels, value })), more: Math.max(0, samples.length - SAMPLES_MAX), error: '' })
    } catch (error) {
      results.push({ title: check.title, query: filled, samples: [], more: 0, error: error instanceof Error ? error.message.slice(0, 300) : 'it failed' })
    }
  }
  return results
}
