// Sums of rates as dashboards ask for them, beside Prometheus on the same data.
import { machine, type MeasureOptions } from '@andon/bench'
import { historyText, makeHistory } from '../server/history.ts'
import { agreement, type Asked, askAll, type Question, questionTable } from '../server/questions.ts'
import { threadCpu, threadText } from '../server/threads.ts'

const STEP_SECONDS = 15
/** Relative: where sums are added up in another order. */
const SAME = 1e-6

function questionsOf(until: number, hours: number): Question[] {
  const hour = { start: until - 3600, end: until, step: STEP_SECONDS }
  const all = { start: until - hours * 3600, end: until }
  return [
    { name: '200 series × 1 h', expression: 'sum by (route) (rate(bench_requests_total{team="a"}[5m]))', ...hour, goalMs: 30 },
    { name: '200 series × 1 h, by job', expression: 'sum by (job) (rate(bench_requests_total{team="a"}[1m]))', ...hour, goalMs: 30 },
    { name: '2,000 series × 24 h', expression: 'sum by (job) (rate(bench_requests_total[5m]))', ...all, step: 60, goalMs: 1000 },
    { name: '2,000 series × 24 h at 15 s', expression: 'sum by (job) (rate(bench_requests_total[5m]))', ...all, step: STEP_SECONDS, goalMs: 1000 },
  ]
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const size = { series: 2000, hours: options.isQuick ? 2 : 24, stepSeconds: STEP_SECONDS }
  const history = await makeHistory(size)
  try {
    const asked: Asked[] = []
    const began = threadCpu(history.servers[0]?.pid ?? 0)
    for (const question of questionsOf(history.until, size.hours)) asked.push(await askAll(history.servers, question, (question.end - question.start > 3600 ? 1 : 4) * options.rounds))
    const count = asked.reduce((sum, { times }) => sum + (times[0]?.length ?? 0), 0)
    const threads = threadText(began, threadCpu(history.servers[0]?.pid ?? 0), { what: 'a query of Andon, the mean of all', count })
    return [
      '### Sums of rates over range queries',
      '',
      ...questionTable(history.servers, asked),
      '',
      threads,
      '',
      `${historyText(history, size)} ${asked.map(({ times }) => times[0]?.length ?? 0).join(', ')} times each, in turn, over HTTP with the whole answer read. ${agreement(asked, SAME)}`,
      '',
      `${machine()}.`,
      '',
    ].join('\n')
  } finally {
    await history.close()
  }
}
