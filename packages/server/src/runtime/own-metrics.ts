import type { ExpositionFamily } from '@andon/wire'

type LabelValues = Readonly<Record<string, string>>

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly values: Map<string, { labels: LabelValues; value: number }>
  /** Asked at each render, for gauges that are read rather than set. */
  readonly read: (() => number) | undefined
}

/** A sum that only grows. */
export interface OwnCounter {
  add(value?: number, labels?: LabelValues): void
  /** The sum over all labels. */
  total(): number
}

/**
 * The server's own metrics, rendered at `/metrics` under names that begin with `andon_`. Every one is listed in
 * docs/reference/metrics.md; a test compares the two.
 */
export class OwnMetrics {
  readonly #families = new Map<string, Family>()

  /** @param name - ends with `_total` */
  counter(name: string, help: string): OwnCounter {
    const { values } = this.#family(name, 'counter', help, undefined)
    return {
      add: (value = 1, labels = {}) => {
        const key = JSON.stringify(labels)
        const held = values.get(key)
        if (held === undefined) values.set(key, { labels, value })
        else held.value += value
      },
      total: () => [...values.values()].reduce((sum, { value }) => sum + value, 0),
    }
  }

  /** A value that is read at each render. */
  gauge(name: string, help: string, read: () => number): void {
    this.#family(name, 'gauge', help, read)
  }

  #family(name: string, type: Family['type'], help: string, read: (() => number) | undefined): Family {
    const known = this.#families.get(name)
    if (known !== undefined) return known
    const family: Family = { name, type, help, values: new Map(), read }
    this.#families.set(name, family)
    return family
  }

  /** All of them as they stand now, in the order of their names. */
  render(): ExpositionFamily[] {
    return [...this.#families.values()]
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, type, help, values, read }) => {
        const asked = read === undefined ? [] : [{ name, labels: {}, value: read() }]
        const held = [...values.values()].map(({ labels, value }) => ({ name, labels, value }))
        const none = type === 'counter' && held.length === 0 ? [{ name, labels: {}, value: 0 }] : []
        return { name, type, help, samples: [...asked, ...held, ...none] }
      })
  }
}
