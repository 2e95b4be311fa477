// One alert for each source that falls silent, in place of one for each rule that looks at it.
import { AndonError, type Labels, labelsKey, type Milliseconds, SEVERITIES, type Severity } from '@andon/model'
import { formatDuration } from '@andon/promql'
import type { OwnMetrics } from '../runtime/own-metrics.ts'
import { Reading } from '../runtime/reading.ts'
import type { AlertRule, RuleGroup } from './definition.ts'
import type { Element, InstantQuery } from './missing.ts'
import { type Source, Sources } from './sources.ts'
import { parseTemplate, type Template } from './template/run.ts'

/** `rules.telemetry_missing` of andon.yaml. */
export interface TelemetryOptions {
  readonly isOn: boolean
  /** How long a source must be silent. */
  readonly forMs: Milliseconds
  /** A source that is silent for longer is given up: its alert is resolved, and it is forgotten. */
  readonly resolveAfterMs: Milliseconds
  /** Whether each instance of a service is watched by itself, or the service as a whole. Targets that are scraped are always watched one by one. */
  readonly per: 'service' | 'instance'
  readonly severity: Severity
  /** Services that may fall silent: by `service_name`, or by `job`. */
  readonly ignore: readonly string[]
}

export const defaultTelemetry: TelemetryOptions = { isOn: true, forMs: 120_000, resolveAfterMs: 86_400_000, per: 'service', severity: 'warning', ignore: [] }

const SILENCE = { least: 10_000 }
/** Steps at which the past is looked at when the server starts: as far apart as an instant vector looks back. */
const BEFORE_STEP = '5m'
const INTERVAL_MS: Milliseconds = 15_000
/** Without having looked for longer, the server was not there. */
const PAUSE_MS: Milliseconds = 60_000
/** What is sent at the end of a process is a little later than its last report. */
const END_MS: Milliseconds = 2000
const BY = 'by (job, instance, service_name, deployment_environment_name)'
/** What goes on without a marker when a process has ended in order: sums, and what Andon itself tells of it. */
const NO_GAUGE = '__name__!~".+_(total|count|sum|bucket)|target_info|up|scrape_.+|ALERTS|ALERTS_FOR_STATE|.*:.*"'
const HOUR: Milliseconds = 3_600_000

/**
 * The section of andon.yaml.
 *
 * @throws AndonError bad_config with the path of the key
 */
export function readTelemetryOptions(value: unknown): TelemetryOptions {
  const given = new Reading(value ?? {}, 'rules.telemetry_missing', { hint: 'docs/reference/rules.md shows what may be said of telemetry that is missing.' }).fields(['enabled', 'for', 'resolve_after', 'per', 'severity', 'ignore'])
  return {
    isOn: given.enabled.flag(defaultTelemetry.isOn),
    forMs: given.for.duration(SILENCE, defaultTelemetry.forMs),
    resolveAfterMs: given.resolve_after.duration(SILENCE, defaultTelemetry.resolveAfterMs),
    per: given.per.word(['service', 'instance'], defaultTelemetry.per),
    severity: given.severity.word(SEVERITIES, defaultTelemetry.severity),
    ignore: given.ignore.list().map((one) => one.text()),
  }
}

/** The selector of all series of a source. */
function seriesOf({ labels }: Source): string {
  const { job = '', instance = '', service_name: service = '' } = labels
  // With the service: what rules make of its series has other labels.
  return Object.entries({ job, instance, service_name: service })
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')
}

function templatesOf(texts: Labels): ReadonlyMap<string, Template> {
  return new Map(Object.entries(texts).map(([name, text]) => [name, parseTemplate(text)]))
}

export interface TelemetryDeps {
  readonly query: InstantQuery
  readonly now: () => Milliseconds
  readonly own: Pick<OwnMetrics, 'gauge'>
}

/** Watches the sources; asked at each evaluation of its rule. */
export class TelemetryWatch {
  readonly #query: InstantQuery
  readonly #options: TelemetryOptions
  readonly #sources: Sources
  #evaluatedAt: Milliseconds
  #isFirst = true

  constructor(options: TelemetryOptions, { query, now, own }: TelemetryDeps) {
    this.#query = query
    this.#options = options
    this.#sources = new Sources(now())
    this.#evaluatedAt = now()
    own.gauge('andon_rules_sources', 'Sources of telemetry of which it is watched whether they fall silent.', () => this.#sources.size)
    own.gauge('andon_rules_sources_refused', 'Reports of sources that are not watched because there are too many, since the start.', () => this.#sources.refused)
  }

  /** Its rule, as a group that is evaluated, stored and handed over as all others; none where it is switched off. */
  groups(): readonly RuleGroup[] {
    if (!this.#options.isOn) return []
    const labels = { severity: this.#options.severity }
    const annotations = { summary: '{{ or $labels.service_name $labels.job }}{{ with $labels.instance }} ({{ . }}){{ end }} has told nothing for {{ humanizeDuration $value }}', description: 'Telemetry of this source is missing; alerts that look at it stay as they were.', runbook: 'telemetry-missing' }
    const rule: AlertRule = {
      kind: 'alert',
      name: 'TelemetryMissing',
      // What is looked for, as far as an expression can say it.
      expression: `time() - max by (job, service_name) (timestamp(target_info) or timestamp(up == 1)) > ${this.#options.forMs / 1000}`,
      finds: (time, firing) => this.find(time, firing),
      source: 'telemetry',
      labels,
      annotations,
      forMs: 0,
      keepFiringForMs: 0,
      templates: { labels: templatesOf(labels), annotations: templatesOf(annotations) },
      line: 1,
    }
    return [{ name: 'telemetry', file: 'andon', intervalMs: INTERVAL_MS, limit: 0, queryOffsetMs: undefined, rules: [rule] }]
  }

  /**
   * The sources that are silent, each with for how long, in seconds.
   *
   * @param firing - keys of the labels of those that were told as silent
   */
  async find(time: Milliseconds, firing: ReadonlySet<string>): Promise<readonly Element[]> {
    const { forMs, resolveAfterMs, ignore } = this.#options
    if (time - this.#evaluatedAt > PAUSE_MS) this.#sources.resume(time)
    await this.#listen(time, firing)
    this.#evaluatedAt = time
    this.#sources.forgetBefore(time - resolveAfterMs)
    const silent: { source: Source; silentMs: Milliseconds }[] = []
    const talking: Source[] = []
    for (const source of this.#sources.all()) {
      const { job = '', service_name: service = '' } = source.labels
      if (ignore.includes(service) || ignore.includes(job)) continue
      const silentMs = this.#sources.silence(source, time, forMs, firing.has(labelsKey(this.#toldAs(source))))
      if (silentMs === undefined) talking.push(source)
      else if (!(await this.#hasEnded(source))) silent.push({ source, silentMs })
    }
    return this.#elements(silent, talking)
  }

  #isWhole({ kind }: Source): boolean {
    return this.#options.per === 'service' && kind === 'pushed'
  }

  /** The labels under which a source is told as silent: its own, or those of its service. */
  #toldAs(source: Source): Labels {
    const { instance: _, ...service } = source.labels
    return this.#isWhole(source) ? service : source.labels
  }

  /** One for each target and, as it was asked for, one for each instance or each service of which no instance talks. */
  #elements(silent: readonly { readonly source: Source; readonly silentMs: Milliseconds }[], talking: readonly Source[]): readonly Element[] {
    const heard = new Set(talking.filter((source) => this.#isWhole(source)).map((source) => labelsKey(this.#toldAs(source))))
    const found = new Map<string, Element>()
    for (const { source, silentMs } of silent) {
      const labels = this.#toldAs(source)
      const key = labelsKey(labels)
      // A service is as silent as the instance that was heard last.
      if (!heard.has(key)) found.set(key, { labels, value: Math.min(silentMs / 1000, found.get(key)?.value ?? Infinity) })
    }
    return [...found.values()]
  }

  async #listen(time: Milliseconds, firing: ReadonlySet<string>): Promise<void> {
    const { forMs } = this.#options
    if (this.#isFirst) await this.#remember(time)
    this.#isFirst = false
    await this.#note('pushed', `max ${BY} (timestamp(target_info))`, time, true)
    await this.#note('scraped', `max ${BY} (timestamp(up) and up == 1)`, time, true)
    for (const { labels } of await this.#query(`max ${BY} (up == 0)`, time)) {
      // One that never answered is silent since it was first asked.
      const since = firing.has(labelsKey(labels)) ? time - forMs : time
      if (!this.#sources.has('scraped', labels)) this.#sources.seen('scraped', labels, since, since)
    }
    // A marker of its end: whoever scraped it has ceased to, in order.
    for (const { labels } of await this.#query(`max ${BY} (last_over_time(up[5m]) unless up)`, time)) this.#sources.forget('scraped', labels)
  }

  /** Who reported before the server was started. Where that is too much to read, those of the last hour, or nobody. */
  async #remember(time: Milliseconds): Promise<void> {
    for (const window of [this.#options.resolveAfterMs, HOUR]) {
      const before = `[${formatDuration(Math.min(window, this.#options.resolveAfterMs))}:${BEFORE_STEP}]`
      try {
        await this.#note('pushed', `max ${BY} (max_over_time(timestamp(target_info)${before}))`, time, false)
        await this.#note('scraped', `max ${BY} (max_over_time((timestamp(up) and up == 1)${before}))`, time, false)
        return
      } catch (error) {
        if (!(error instanceof AndonError) || error.code !== 'query_too_large') throw error
      }
    }
  }

  async #note(kind: Source['kind'], expression: string, time: Milliseconds, isNow: boolean): Promise<void> {
    for (const { labels, value } of await this.#query(expression, time)) {
      const reported = Math.round(value * 1000)
      // What was not here at the evaluation before came after it, whatever its own clock says.
      this.#sources.seen(kind, labels, reported, isNow ? Math.min(time, Math.max(reported, this.#evaluatedAt)) : reported)
    }
  }

  /**
   * Whether a process ended in order: all its gauges were ended with a marker just after its last report. One that was killed leaves
   * them as they were; what ends gauges of things that are gone leaves others.
   */
  async #hasEnded(source: Source): Promise<boolean> {
    if (source.kind === 'scraped') return false
    if (source.hasEnded !== undefined) return source.hasEnded
    const at = source.lastSeen + END_MS
    const gauges = `{${seriesOf(source)}, ${NO_GAUGE}}`
    // A comparison leaves histograms out.
    const isAlive = (await this.#query(`count(${gauges} < Inf)`, at)).length > 0
    const were = isAlive ? [] : await this.#query(`count(last_over_time(${gauges}[5m]) < Inf)`, at)
    source.hasEnded = !isAlive && were.length > 0
    return source.hasEnded
  }
}
