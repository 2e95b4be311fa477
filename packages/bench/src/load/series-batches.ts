// The counters that queries are measured with: of a number of series, each sample of a turn, as remote write.
import type { Labels } from '@andon/model'
import { encodeWrite, stampMilliseconds } from './remote-write.ts'
import { Values } from './sample-series.ts'
import type { Turns } from './sample-batches.ts'
import type { Template } from './template.ts'

const PER_REQUEST = 2000
const ROUTES = 10
const INSTANCES = 10

/** Of these many series a tenth has `team="a"`. */
export function seriesLabels(count: number): Labels[] {
  return Array.from({ length: count }, (_, index) => {
    const route = index % ROUTES
    const instance = Math.floor(index / ROUTES) % INSTANCES
    const job = Math.floor(index / ROUTES / INSTANCES)
    return { __name__: 'bench_requests_total', job: `shop-${job}`, instance: `node-${instance}:9100`, service_name: `shop-${job}`, route: `/api/route-${route}`, method: 'GET', status: '200', team: index % 10 === 0 ? 'a' : 'b' }
  })
}

/** Together they hold each series once in a turn. */
export function seriesTemplates(count: number, { fromMs, stepMs }: Turns): Template[] {
  const labels = seriesLabels(count)
  return Array.from({ length: Math.ceil(count / PER_REQUEST) }, (_, group) => {
    const own = labels.slice(group * PER_REQUEST, (group + 1) * PER_REQUEST)
    const values = new Values(own.map(() => 'count'), group + 1)
    const { bytes, view, values: places, times } = encodeWrite(own)
    return {
      bytes,
      items: own.length,
      stamp: (turn) => {
        for (let index = 0; index < own.length; index += 1) {
          view.setFloat64(places[index] ?? 0, values.at(index, turn), true)
          stampMilliseconds(bytes, times[index] ?? 0, fromMs + turn * stepMs)
        }
      },
    }
  })
}
