import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Backtest, backtestRules, renderBacktest } from './backtest.ts'
import { CommandError, EXIT } from './exit.ts'

const NOW = Date.UTC(2026, 0, 15)
const DAY = 86_400_000
const RESULT: Backtest = {
  alert: 'Slow',
  from: NOW - 14 * DAY,
  to: NOW,
  dataFrom: NOW - 7 * DAY,
  isShorter: true,
  count: 2,
  perWeek: 2,
  firingShare: 0.0125,
  episodes: [
    { labels: { alertname: 'Slow', route: '/a' }, start: NOW - DAY, end: NOW - DAY + 600_000, peak: 812.34567 },
    { labels: { alertname: 'Slow', route: '/b' }, start: NOW - 30_000, end: null, peak: null },
  ],
  areEpisodesCut: false,
}

test('what a rule would have told is said with how far the data reach back', () => {
  assert.equal(
    renderBacktest(RESULT),
    [
      'Slow: would have fired 2 times in the last 14 days. 2 alerts a week; firing 1.25 % of the time.',
      '  There are data only since 2026-01-08 00:00:00 UTC, 7 days.',
      'since (UTC)          for           worst  labels    ',
      '───────────────────  ────────────  ─────  ──────────',
      '2026-01-14 00:00:00  10 min        812.3  route="/a"',
      '2026-01-14 23:59:30  still firing         route="/b"',
    ]
      .map((line) => line.trimEnd())
      .join('\n'),
  )
  assert.equal(renderBacktest({ ...RESULT, count: 0, episodes: [], dataFrom: null, perWeek: null, firingShare: null }), 'Slow: would have fired 0 times in the last 14 days.\n  There are no data for it.')
})

const code = (wanted: number) => (error: unknown) => error instanceof CommandError && error.code === wanted

test('a file, or an expression, goes to the server; a refusal is a problem with its message', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-backtest-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'rules.yaml')
  writeFileSync(file, 'groups: []')
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
      const body = JSON.parse(Buffer.concat(chunks).toString()) as { rule?: { expr: string } }
      asked.push([request.method, request.url, body])
      const isWrong = body.rule?.expr === 'sum('
      response.writeHead(isWrong ? 400 : 200).end(JSON.stringify(isWrong ? { error: { code: 'bad_rules', message: 'expr: no', hint: 'Mend it.' } } : { results: [RESULT] }))
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  assert.match(await backtestRules(file, { url, days: '7', rule: 'Slow' }), /^Slow: would have fired 2 times/)
  assert.deepEqual(JSON.parse(await backtestRules(undefined, { url, expr: 'x > 1', for: '5m', json: true })), [RESULT])
  assert.deepEqual(asked, [
    ['POST', '/api/rules/backtest', { days: 7, rules: 'groups: []', file: 'rules.yaml', only: 'Slow' }],
    ['POST', '/api/rules/backtest', { rule: { alert: 'expression', expr: 'x > 1', for: '5m' } }],
  ])
  await assert.rejects(backtestRules(undefined, { url, expr: 'sum(' }), (error) => code(EXIT.problem)(error) && /expr: no\nMend it\./.test(String(error)))
  await assert.rejects(backtestRules(undefined, { url }), code(EXIT.usage))
  await assert.rejects(backtestRules(file, { url, days: 'x' }), code(EXIT.usage))
})
