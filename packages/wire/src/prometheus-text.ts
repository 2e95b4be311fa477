// Prometheus' exposition text and OpenMetrics, both directions.
import { AndonError } from '@andon/model'
import { parseSampleLine } from './prometheus/sample-line.ts'

export type ExpositionType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'

export interface ExpositionSample {
  /** The full name, with `_total`, `_bucket`, `_sum` or `_count` where it has one. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp?: number
  readonly exemplar?: ExpositionExemplar
}

/** Where a value was measured; OpenMetrics only. */
export interface ExpositionExemplar {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp?: number
}

export interface ExpositionFamily {
  /** The name of the family; a counter's ends with `_total`. */
  readonly name: string
  readonly type: ExpositionType
  readonly help: string
  /** As the name's suffix says it, such as `seconds`; OpenMetrics only. */
  readonly unit?: string
  readonly samples: readonly ExpositionSample[]
}

/** `prometheus`: text/plain;version=0.0.4. `openmetrics`: application/openmetrics-text;version=1.0.0. */
export type ExpositionFormat = 'prometheus' | 'openmetrics'

function number(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function sampleLine(sample: ExpositionSample, format: ExpositionFormat): string {
  const labels = Object.entries(sample.labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  const braces = labels.length > 0 ? `{${labels.join(',')}}` : ''
  const time = sample.timestamp === undefined ? '' : ` ${format === 'openmetrics' ? sample.timestamp / 1000 : sample.timestamp}`
  return `${sample.name}${braces} ${number(sample.value)}${time}\n`
}

/** Families as text, in the order given. */
export function encodePrometheusText(families: readonly ExpositionFamily[], format: ExpositionFormat): string {
  let text = ''
  for (const family of families) {
    const open = format === 'openmetrics'
    const name = open && family.type === 'counter' ? family.name.replace(/_total$/, '') : family.name
    const type = family.type === 'unknown' && !open ? 'untyped' : family.type
    text += `# HELP ${name} ${open ? escaped(family.help) : family.help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`
    text += `# TYPE ${name} ${type}\n`
    if (open && family.unit !== undefined && name.endsWith(`_${family.unit}`)) text += `# UNIT ${name} ${family.unit}\n`
    for (const sample of family.samples) text += sampleLine(sample, format)
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

const TYPES: Readonly<Record<string, ExpositionType>> = { counter: 'counter', gauge: 'gauge', histogram: 'histogram', summary: 'summary' }

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

interface OpenFamily {
  name: string
  type: ExpositionType
  help: string
  unit?: string
  samples: ExpositionSample[]
}

/** The samples' names that belong to a family. */
function belongs(sample: string, family: OpenFamily): boolean {
  if (sample === family.name) return true
  return sample.startsWith(`${family.name}_`) && /^(?:total|created|bucket|sum|count|info)$/.test(sample.slice(family.name.length + 1))
}

/** Collects the lines of an exposition into families. */
class FamilyReader {
  readonly #families: OpenFamily[] = []
  /** OpenMetrics gives timestamps in seconds, the older format in milliseconds. */
  readonly #timeUnit: number
  readonly #maxSamples: number
  #samples = 0

  constructor(openMetrics: boolean, maxSamples: number) {
    this.#timeUnit = openMetrics ? 1000 : 1
    this.#maxSamples = maxSamples
  }

  #family(name: string, owns: (candidate: OpenFamily) => boolean): OpenFamily {
    const last = this.#families.at(-1)
    if (last !== undefined && owns(last)) return last
    const next: OpenFamily = { name, type: 'unknown', help: '', samples: [] }
    if (this.#families.length >= this.#maxSamples) throw new AndonError('too_large', `metrics text: it has more than ${this.#maxSamples} families`)
    this.#families.push(next)
    return next
  }

  describe(kind: string, name: string, rest: string): void {
    const family = this.#family(name, (candidate) => candidate.name === name && candidate.samples.length === 0)
    if (kind === 'HELP') family.help = unescaped(rest)
    else if (kind === 'UNIT') family.unit = rest
    else family.type = TYPES[rest.trim()] ?? 'unknown'
  }

  sample(content: string, line: number): void {
    this.#samples += 1
    if (this.#samples > this.#maxSamples) throw new AndonError('too_large', `metrics text: it has more than ${this.#maxSamples} samples`)
    const { name, labels, value, time, exemplar } = parseSampleLine(content, line)
    this.#family(name, (candidate) => belongs(name, candidate)).samples.push({
      name,
      labels,
      value,
      ...(time !== undefined && { timestamp: time * this.#timeUnit }),
      ...(exemplar !== undefined && { exemplar: { labels: exemplar.labels, value: exemplar.value, ...(exemplar.time !== undefined && { timestamp: exemplar.time * 1000 }) } }),
    })
  }

  families(): ExpositionFamily[] {
    return this.#families.map((family) => ({ ...family, name: family.type === 'counter' && !family.name.endsWith('_total') ? `${family.name}_total` : family.name }))
  }
}

/**
 * Families of an exposition in either format. A counter's family is named with `_total`.
 *
 * @param maxSamples - of the whole text, and how many families it may have
 * @throws AndonError bad_body naming the line, too_large past the limit
 */
export function parsePrometheusText(text: string, maxSamples: number = Infinity): ExpositionFamily[] {
  const reader = new FamilyReader(text.trimEnd().endsWith('# EOF'), maxSamples)
  let line = 0
  // Not split into all of its lines at once: a text of nothing but ends of lines would become a list of millions.
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf('\n', start)
    const end = found === -1 ? text.length : found
    const content = text.slice(start, end)
    start = end + 1
    line += 1
    // With the flag s the last part matches whatever is left, so that nothing is tried again.
    const comment = content.startsWith('#') ? /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+(\S+)\s*(.*)$/s.exec(content) : null
    if (comment !== null) reader.describe(comment[1] ?? '', comment[2] ?? '', (comment[3] ?? '').replace(/\r$/, ''))
    else if (content.trim() !== '' && !content.startsWith('#')) reader.sample(content, line)
  }
  return reader.families()
}
