import type { Milliseconds } from '@andon/model'
import type { Engine } from './engine.ts'
import type { Evaluator, Grid, GridSeries } from './grid.ts'

/** The engine as the readers of overviews ask it: values aligned to their grid, histograms left out. */
export function engineEvaluator(engine: Engine): Evaluator {
  return {
    over: async (expression: string, grid: Grid): Promise<readonly GridSeries[]> => {
      const start = grid.t[0] ?? 0
      const result = await engine.range(expression, start, grid.t.at(-1) ?? start, grid.step)
      if (result.type !== 'matrix') return []
      return result.series.map(({ labels, points }) => {
        const values = new Map(points)
        return { labels, values: grid.t.map((time) => values.get(time) ?? null) }
      })
    },
    at: async (expression: string, time: Milliseconds) => {
      const result = await engine.instant(expression, time)
      return result.type === 'vector' ? result.samples.filter(({ histogram }) => histogram === undefined) : []
    },
  }
}
