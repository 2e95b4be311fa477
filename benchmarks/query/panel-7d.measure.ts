// A panel over seven days, beside Prometheus on the same data: what rollups are for.
import { machine, type MeasureOptions } from '@andon/bench'
import { historyText, makeHistory } from '../server/history.ts'
import { agreement, type Asked, askAll, type Question, questionTable } from '../server/questions.ts'
import { threadCpu, threadText } from '../server/threads.ts'

const GOAL_MS = 50
/** A rate by rollups may miss the increase of one interval at each edge of its window: 2 of 240 samples. */
const ROLLED_UP = 0.02

function questionsOf(until: number, hours: number): Question[] {
  // A multiple of the rollup's five minutes, over which each window holds twelve buckets.
  const week = { start: until - hours * 3600 + 3600, end: until, goalMs: GOAL_MS }
  return [
    { name: '200 series, rate over 1 h every 30 min', expression: 'sum by (job) (rate(bench_requests_total[1h]))', ...week, step: 1800 },
    { name: '200 series, increase over 1 h every hour', expression: 'sum(increase(bench_requests_total[1h]))', ...week, step: 3600 },
  ]
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const size = { series: 200, hours: options.isQuick ? 12 : 168, stepSeconds: 15 }
  const history = await makeHistory(size)
  try {
    const asked: Asked[] = []
    const began = threadCpu(history.servers[0]?.pid ?? 0)
    for (const question of questionsOf(history.until, size.hours)) asked.push(await askAll(history.servers, question, 4 * options.rounds))
    const count = asked.reduce((sum, { times }) => sum + (times[0]?.length ?? 0), 0)
    const threads = threadText(began, threadCpu(history.servers[0]?.pid ?? 0), { what: 'a query of Andon, the mean of all', count })
    return [
      '### A panel over seven days',
      '',
      ...questionTable(history.servers, asked),
      '',
      threads,
      '',
      `${historyText(history, size)} ${4 * options.rounds} times each, in turn, over HTTP with the whole answer read. ${agreement(asked, ROLLED_UP)}`,
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    await history.close()
  }
}
