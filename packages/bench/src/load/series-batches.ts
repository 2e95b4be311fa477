// The counters that queries are measured with, as remote write sends them that has fallen behind: several samples of each series.
import type { Labels } from '@andon/model'
import { encodeWrite, stampMilliseconds } from './remote-write.ts'
import { Values } from './sample-series.ts'
import type { Turns } from './sample-batches.ts'
import type { Template } from './template.ts'

const PER_REQUEST = 200
/** Steps of one turn. */
export const STEPS_PER_TURN = 10
const ROUTES = 10
const INSTANCES = 10

/** Of these many series a tenth has `team="a"`. */
export function seriesLabels(count: number): Labels[] {
  return Array.from({ length: count }, (_, index) => {
    const route = index % ROUTES
    const instance = Math.floor(index / ROUTES) % INSTANCES
    const job = Math.floor(index / ROUTES / INSTANCES)
    return { __name__: 'bench_requests_total', job: `shop-${job}`, instance: `node-${instance}:9100`, service_name: `shop-${job}`, route: `/api/route-${route}`, method: 'GET', status: '200', team: instance === 0 ? 'a' : 'b' }
  })
}

/** Together they hold ten steps of each series in a turn. */
export function seriesTemplates(count: number, { fromMs, stepMs }: Turns): Template[] {
  const labels = seriesLabels(count)
  return Array.from({ length: Math.ceil(count / PER_REQUEST) }, (_, group) => {
    const own = labels.slice(group * PER_REQUEST, (group + 1) * PER_REQUEST)
    const values = new Values(own.map(() => 'count'), group + 1)
    const { bytes, view, values: places, times } = encodeWrite(own, STEPS_PER_TURN)
    return {
      bytes,
      items: own.length * STEPS_PER_TURN,
      stamp: (turn) => {
        for (const [place, at] of places.entries()) {
          const step = turn * STEPS_PER_TURN + (place % STEPS_PER_TURN)
          view.setFloat64(at, values.at(Math.floor(place / STEPS_PER_TURN), step), true)
          stampMilliseconds(bytes, times[place] ?? 0, fromMs + step * stepMs)
        }
      },
    }
  })
}
