// Federation: the newest samples of selectors, for a Prometheus to scrape.
// @see https://prometheus.io/docs/prometheus/latest/federation/
import { type Labels, labelsKey } from '@andon/model'
import { encodePrometheusText, type ExpositionFamily, type ExpositionSample } from '@andon/wire'
import type { FastifyInstance } from 'fastify'
import type { Engine, NewestPoint } from '../query/engine.ts'
import type { Clock } from '../runtime/clock.ts'
import { goneSignal, matchersOf, parameters } from './metrics-request.ts'

export interface FederationDeps {
  readonly engine: Pick<Engine, 'newest'>
  readonly clock: Pick<Clock, 'now'>
  /** Given to every series that has no label of the name; none when absent. */
  readonly externalLabels?: Labels
}

/** Who scrapes with `honor_labels` puts its target's instance where there is no such label; an empty one says that there is none to put. */
const WITHOUT_INSTANCE: Labels = { instance: '' }

function inOrder<T>(list: Iterable<[key: string, of: T]>): T[] {
  return [...list].toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, of]) => of)
}

/** Families in the order of their names, their samples in that of their labels. What has no name, and a native histogram, has no place in the text. */
function familiesOf(points: readonly NewestPoint[], further: Labels): ExpositionFamily[] {
  const families = new Map<string, { readonly name: string; readonly samples: [key: string, sample: ExpositionSample][] }>()
  for (const { labels: all, time, value } of points) {
    const { __name__: name = '', ...labels } = all
    if (name === '' || typeof value !== 'number') continue
    const sample = { name, labels: { ...labels, ...Object.fromEntries(Object.entries(further).filter(([label]) => labels[label] === undefined)) }, value, timestamp: time }
    const held = families.get(name)
    if (held === undefined) families.set(name, { name, samples: [[labelsKey(labels), sample]] })
    else held.samples.push([labelsKey(labels), sample])
  }
  return inOrder(families).map(({ name, samples }) => ({ name, type: 'unknown', help: '', samples: inOrder(samples) }))
}

export function registerFederation(app: FastifyInstance, { engine, clock, externalLabels }: FederationDeps): void {
  app.get('/federate', { config: { role: 'viewer' } }, async (request, reply) => {
    const points = await engine.newest(matchersOf(parameters(request)), clock.now(), { signal: goneSignal(reply) })
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(encodePrometheusText(familiesOf(points, { ...WITHOUT_INSTANCE, ...externalLabels }), 'prometheus'))
  })
}
