import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AndonError } from '@andon/model'
import type { SamplePoint, SeriesPoint } from '../points.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { Scraper } from './index.ts'
import { readJobs, type ScrapeJob } from './jobs.ts'

function refuse(problem: string): never {
  throw new Error(problem)
}

interface Setting {
  readonly clock: FakeClock
  readonly scraper: Scraper
  readonly asked: string[]
  /** What was stored since the last call: values by name and labels, `ended` for markers. */
  readonly stored: () => Record<string, number | 'ended'>
}

function textOf({ labels: { __name__: name = '', ...labels } = {} }: SeriesPoint): string {
  return `${name}{${Object.entries(labels).map(([key, value]) => `${key}=${value}`).toSorted().join()}}`
}

function setting(jobs: readonly ScrapeJob[], answer: (signal: AbortSignal | undefined) => Promise<Response>, refused?: () => void): Setting {
  const clock = new FakeClock()
  const asked: string[] = []
  const points: SamplePoint[] = []
  const sink = {
    acceptPoints: (content: { readonly points: readonly SeriesPoint[] }) => {
      refused?.()
      for (const point of content.points) if (point.kind === 'sample') points.push(point)
      return Promise.resolve({ rejected: 0, message: '' })
    },
  }
  const get: typeof fetch = (url, options) => {
    asked.push(url instanceof URL ? url.href : typeof url === 'string' ? url : url.url)
    return answer(options?.signal ?? undefined)
  }
  const scraper = new Scraper({ jobs, maxBytes: 1000 }, { sink, clock, fetch: get })
  scraper.start()
  return { clock, scraper, asked, stored: () => Object.fromEntries(points.splice(0).map((point) => [textOf(point), point.stale ? 'ended' : point.value])) }
}

const jobs = (more: object = {}): ScrapeJob[] => readJobs([{ job: 'shop', targets: ['a:1'], interval: '10s', labels: { env: 'test' }, ...more }], refuse)
const ok = (text: string): Promise<Response> => Promise.resolve(new Response(text))
const OWN = 'env=test,instance=a:1,job=shop'

test('a target is asked at its interval; what it does not tell any more has ended, as all has while it is away', async () => {
  const answers = ['# TYPE hits counter\nhits{code="200",job="x"} 5\nold 1\n', 'hits{code="200",job="x"} 6\n']
  const { clock, stored, asked, scraper } = setting(jobs(), () => (answers.length === 0 ? Promise.reject(new Error('gone')) : ok(answers.shift() ?? '')))
  const rounds: Record<string, number | 'ended'>[] = []
  await clock.advance(9_999)
  rounds.push(stored())
  for (let round = 0; round < 2; round += 1) {
    await clock.advance(10_000)
    rounds.push(stored())
  }
  const scraped = (up: number, samples: number, added = 0): Record<string, number> => ({
    [`up{${OWN}}`]: up,
    [`scrape_duration_seconds{${OWN}}`]: 0,
    [`scrape_samples_scraped{${OWN}}`]: samples,
    [`scrape_samples_post_metric_relabeling{${OWN}}`]: samples,
    [`scrape_series_added{${OWN}}`]: added,
  })
  const hits = `hits{code=200,env=test,exported_job=x,instance=a:1,job=shop}`
  assert.deepEqual(rounds, [
    { [hits]: 5, [`old{${OWN}}`]: 1, ...scraped(1, 2, 2) },
    { [hits]: 6, [`old{${OWN}}`]: 'ended', ...scraped(1, 1) },
    { [hits]: 'ended', ...scraped(0, 0) },
  ])
  assert.deepEqual(asked, Array.from({ length: 3 }, () => 'http://a:1/metrics'))
  assert.deepEqual(scraper.states().map(({ health, lastError, job }) => [job, health, lastError]), [['shop', 'down', 'gone']])
  await scraper.stop()
  await clock.advance(60_000)
  assert.equal(asked.length, 3)
})

test('an answer that is none, is too large, has too many samples or never ends makes the target down, and says why', async () => {
  const wrong: readonly (readonly [RegExp, (signal: AbortSignal | undefined) => Promise<Response>, object?])[] = [
    [/it answers 500/, () => Promise.resolve(new Response('x', { status: 500 }))],
    [/line 1: NAME/, () => ok('<html>')],
    [/larger than 1000 bytes/, () => ok('x'.repeat(2000))],
    [/more than 2 samples/, () => ok('a 1\nb 1\nc 1\n'), { sample_limit: 2 }],
    [/no whole answer within 5000 ms/, (signal) => new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')))), { timeout: '5s' }],
  ]
  for (const [reason, answer, more] of wrong) {
    const { clock, stored, scraper } = setting(jobs(more), answer)
    await clock.advance(15_000)
    assert.match(scraper.states()[0]?.lastError ?? '', reason)
    assert.equal(stored()[`up{${OWN}}`], 0)
    await scraper.stop()
  }
})

test('a store that takes nothing is told in the state, and the next scrape goes on', async () => {
  let isFull = true
  const { clock, stored, scraper } = setting(jobs(), () => ok('a 1\n'), () => {
    if (isFull) throw new AndonError('overloaded', 'full')
  })
  await clock.advance(9_999)
  assert.match(scraper.states()[0]?.lastError ?? '', /full/)
  isFull = false
  await clock.advance(10_000)
  assert.equal(scraper.states()[0]?.health, 'up')
  assert.equal(stored()[`a{${OWN}}`], 1)
  await scraper.stop()
})

test('what ended while the store took nothing is marked with the next scrape that is stored', async () => {
  const answers = ['a 1\nb 1\nc 1\n', 'a 2\nb 2\n', 'a 3\nd 3\n', 'a 4\n']
  let isFull = false
  const { clock, stored, scraper } = setting(jobs(), () => ok(answers.shift() ?? ''), () => {
    if (isFull) throw new AndonError('disk_full', 'full')
  })
  await clock.advance(9_999)
  assert.equal(stored()[`c{${OWN}}`], 1)
  isFull = true
  await clock.advance(20_000)
  assert.deepEqual(stored(), {})
  isFull = false
  await clock.advance(10_000)
  const { [`a{${OWN}}`]: a, [`b{${OWN}}`]: b, [`c{${OWN}}`]: c, [`d{${OWN}}`]: d, [`scrape_series_added{${OWN}}`]: added } = stored()
  // What only a refused scrape told was never there.
  assert.deepEqual([a, b, c, d, added], [4, 'ended', 'ended', undefined, 0])
  await scraper.stop()
})

test('jobs are read with what is wrong said', () => {
  const [job] = readJobs([{ job: 'a', targets: ['h:1', '[::1]:2'] }], refuse)
  assert.deepEqual(job, { job: 'a', targets: ['h:1', '[::1]:2'], scheme: 'http', path: '/metrics', intervalMs: 15_000, timeoutMs: 10_000, labels: {}, headers: {}, sampleLimit: 50_000 })
  const one = { job: 'a', targets: ['h:1'] }
  for (const [value, problem] of [
    ['x', /a list of/],
    [[{ ...one, jobs: 1 }], /"jobs" is none of these/],
    [[{ ...one, job: '' }], /a name: job/],
    [[{ ...one, targets: [] }], /targets/],
    [[{ ...one, targets: ['http://h:1'] }], /host:port, not "http:\/\/h:1"/],
    [[{ ...one, path: 'x' }], /path/],
    [[{ ...one, scheme: 'ftp' }], /scheme/],
    [[{ ...one, interval: '10ms' }], /interval as a duration/],
    [[{ ...one, interval: '5s', timeout: '10s' }], /timeout that is not longer/],
    [[{ ...one, labels: { __x: 'y' } }], /labels/],
    [[{ ...one, token_file: '/no/such/file' }], /token_file that can be read/],
    [[{ ...one, sample_limit: 0 }], /sample_limit/],
    [[one, one], /the job "a" twice/],
  ] as const) assert.throws(() => readJobs(value, refuse), problem)
})
