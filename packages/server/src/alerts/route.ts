// Which receivers an alert goes to, and with which others it is told together.
// @see alertmanager dispatch/route.go
import type { Labels } from '@andon/model'
import { allMatch, matcherText, matchersText } from './matcher.ts'
import type { RouteConfig } from './route-config.ts'

/** A group as an alert falls into it. */
export interface GroupPlace {
  readonly route: RouteNode
  readonly labels: Labels
  /** As Alertmanager writes it: the matchers on the way to the route, and the labels of the group. */
  readonly groupKey: string
}

/** One route of the tree. */
export class RouteNode {
  readonly config: RouteConfig
  readonly children: readonly RouteNode[]
  /** The matchers on the way from the root. */
  readonly key: string
  readonly #matches: (labels: Labels) => boolean

  constructor(config: RouteConfig, parentKey?: string) {
    this.config = config
    this.key = `${parentKey === undefined ? '' : `${parentKey}/`}${matchersText(config.matchers)}`
    this.#matches = allMatch(config.matchers)
    this.children = config.routes.map((child) => new RouteNode(child, this.key))
  }

  /** The routes that take an alert, from the first; none where this one does not match. */
  match(labels: Labels): RouteNode[] {
    if (!this.#matches(labels)) return []
    const found: RouteNode[] = []
    for (const child of this.children) {
      const taken = child.match(labels)
      found.push(...taken)
      if (taken.length > 0 && !child.config.isContinued) break
    }
    return found.length > 0 ? found : [this]
  }

  /** Where an alert is grouped by this route. */
  place(labels: Labels): GroupPlace {
    const { groupBy } = this.config
    const names = groupBy === 'all' ? Object.keys(labels) : groupBy
    const own = Object.fromEntries(names.toSorted().flatMap((name): [string, string][] => ((labels[name] ?? '') === '' ? [] : [[name, labels[name] ?? '']])))
    return { route: this, labels: own, groupKey: `${this.key}:${labelsText(own)}` }
  }
}

/** `{a="1", b="2"}`, as Prometheus writes labels. */
export function labelsText(labels: Labels): string {
  return `{${Object.entries(labels).map(([name, value]) => matcherText({ name, operator: '=', value })).join(', ')}}`
}
