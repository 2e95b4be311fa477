import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelsKey, seeded } from '@andon/model'
import { Engine } from '../query/engine.ts'
import type { SeriesSource } from '../query/promql/context.ts'
import { SliceCounter } from './count-slices.ts'
import { countExpression, pictureExpression } from './counts.ts'
import { binomialOf } from './random.test.ts'

const SLICE = 15_000

const of = (text: string, mode: 'counters' | 'shares' | 'values' = 'counters'): string => countExpression(text, SLICE, mode)

test('rates and bare counters become rises over the slice, whatever range they were written with', () => {
  assert.equal(of('sum(rate(x_total{code=~"5.."}[5m]))'), 'sum(increase(x_total{code=~"5.."}[15s] anchored))')
  assert.equal(of('sum by (route) (x_total)'), 'sum by (route) (increase(x_total[15s] anchored))')
  assert.equal(of('sum(rate(a_total[{{.window}}])) - sum(increase(b_total[{{ .window }}]))'), 'sum(increase(a_total[15s] anchored)) - sum(increase(b_total[15s] anchored))')
  assert.equal(of('avg_over_time(x[$window])'), 'avg_over_time(x[15s])', 'what is no counter stays')
  assert.equal(of('1 - (sum(rate(a[5m])) / sum(rate(b[5m])))', 'shares'), '1 - (sum(increase(a[15s] anchored)) / sum(increase(b[15s] anchored)))')
  assert.equal(of('probe_success', 'shares'), 'probe_success')
  assert.equal(of('sum((histogram_quantile(0.9, rate(x[5m]))) <= bool 0.3)', 'values'), 'sum((histogram_quantile(0.9, rate(x[5m]))) <= bool 0.3)')
  assert.throws(() => of('x[5m]'), { code: 'bad_query' })
  assert.equal(pictureExpression('x_total', true), 'rate(x_total[5m])')
  assert.equal(pictureExpression('sum(rate(x_total[{{.window}}]))', true), 'sum(rate(x_total[5m]))')
})

test('the counts of slices add up to what the counters rose by, across restarts of the counters and pauses of the scrapes', async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const random = seeded(seed)
    const END = 240 * SLICE
    let [truthGood, truthTotal] = [0, 0]
    const series = [0, 1, 2].map((instance) => {
      const points: { time: number; good: number; bad: number }[] = []
      let [good, bad] = [100 * random(), 10]
      good = Math.floor(good)
      points.push({ time: 0, good, bad })
      for (let time = 7000; time <= END; time += random() < 0.1 ? 120_000 : 15_000 + Math.floor(random() * 3000)) {
        const n = Math.floor(random() * 200)
        const failed = binomialOf(random, n, 0.1)
        // A restart: counters begin at 0, and are seen to, because they end lower than before.
        if (random() < 0.1 && good > 300 && bad > 60) [good, bad] = [0, 0]
        good += n - failed
        bad += failed
        truthGood += n - failed
        truthTotal += n
        points.push({ time, good, bad })
      }
      return { instance, points }
    })
    const made = series.flatMap(({ instance, points }) =>
      (['200', '500'] as const).map((code) => ({
        labels: { __name__: 'http_total', code, instance: String(instance), route: `/r${instance % 2}` },
        ts: Float64Array.from(points, ({ time }) => time),
        v: Float64Array.from(points, (point) => (code === '200' ? point.good : point.bad)),
        stale: new Uint8Array(points.length),
        start: new Float64Array(points.length),
      })),
    )
    const source: SeriesSource = {
      select: (matchers, range) =>
        Promise.resolve(
          made
            .filter(({ labels }) => matchers.every(({ name, operator, value }) => (operator === '=' ? Reflect.get(labels, name) === value : operator === '!~' ? !String(Reflect.get(labels, name)).startsWith('5') : true)))
            .map((each) => {
              const kept = [...each.ts.keys()].filter((index) => (each.ts[index] ?? 0) >= range.start && (each.ts[index] ?? 0) <= range.end)
              return { labels: each.labels, ts: Float64Array.from(kept, (index) => each.ts[index] ?? 0), v: Float64Array.from(kept, (index) => each.v[index] ?? 0), stale: new Uint8Array(kept.length), start: new Float64Array(kept.length) }
            }),
        ),
    }
    const engine = new Engine(source, { querySamples: 1e7, querySteps: 11_000, queryMs: 30_000 })
    const counter = new SliceCounter(
      async (expression, start, end, step) => {
        const result = await engine.range(expression, start, end, step)
        return result.type === 'matrix' ? result.series : []
      },
      () => Promise.resolve([]),
    )
    const indicator = { kind: 'counts', good: 'sum by (route) (http_total{code!~"5.."})', bad: undefined, total: 'sum by (route) (rate(http_total[5m]))', counter: true } as const
    // In pieces, as they come due.
    const rows = (await Promise.all([0, 60, 61, 180].map((first, index, all) => counter.rowsOf({ indicator }, { start: first * SLICE, end: (all[index + 1] ?? 240) * SLICE }, { limits: [], counts: new Map() })))).flat()
    const sum = (pick: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + pick(row), 0)
    assert.deepEqual([sum(({ total, bad }) => total - bad), sum(({ total }) => total)], [truthGood, truthTotal], `seed ${seed}`)
    assert.deepEqual([...new Set(rows.map(({ route }) => route))].toSorted(), ['/r0', '/r1'])
    assert.equal(new Set(rows.map(({ time, route, version }) => labelsKey({ time: String(time), route, version }))).size, rows.length)
  }
})
