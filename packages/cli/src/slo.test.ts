import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CommandError, EXIT } from './exit.ts'
import { checkObjectives, listObjectives, reportAgreement, showObjective } from './slo.ts'

const WINDOW = { name: '28d', attainment: 0.9991, bad: 9, total: 10_000, allowed: 10, remaining: 0.1, outageMinutes: 0.4, exhaustedInMs: 5_400_000 }
const OBJECTIVE = { id: 'works', name: 'It works', service: 'shop', target: 0.999, state: 'ticket', lastError: '', windows: [WINDOW], burnRates: { '5m': 1.2, '1h': 3.456, '3d': null } }
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/objectives?service=shop': { objectives: [OBJECTIVE] },
  '/api/objectives/works': OBJECTIVE,
  '/api/objectives/works/ledger': { byIncident: [{ title: 'Errors', bad: 9, share: 1 }], byRoute: [], byRelease: [] },
  '/api/agreements/works/report?format=md&month=2026-11': '# It works: 2026-11\n',
}

/** Answers what is known, and refuses all else. */
async function withServer(run: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer(({ url = '' }, response) => {
    const answer = ANSWERS[url]
    if (answer === undefined) response.statusCode = 404
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: { code: 'not_found', message: `There is no ${url}.`, hint: 'Look elsewhere.' } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    await run(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)
  } finally {
    server.close()
  }
}

test('objectives, one of them and a report are shown; what the server refuses is told', async () => {
  await withServer(async (url) => {
    const list = await listObjectives({ url, service: 'shop' })
    assert.match(list, /^works +ticket +99\.9 % +28d +99\.91 % +10 % +3\.46 +1\.5 h$/m)
    const one = await showObjective('works', { url })
    assert.match(one, /^It works \(shop\): 99\.9 % wanted, ticket$/m)
    assert.match(one, /^burn rates: 5m 1\.2, 1h 3\.46, 3d -$/m)
    assert.match(one, /^Errors +9 +100 %$/m)
    assert.equal(await reportAgreement('works', { url, month: '2026-11', format: 'md' }), '# It works: 2026-11')
    await assert.rejects(showObjective('other', { url }), (error) => error instanceof CommandError && error.code === EXIT.problem && error.message === 'There is no /api/objectives/other.\nLook elsewhere.')
    await assert.rejects(reportAgreement('other', { url, format: 'md' }), { message: /There is no/ })
  })
})

test('files of objectives are checked, and what is wrong told with file, line and path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'andon-slo-'))
  try {
    const file = join(folder, 'o.yaml')
    writeFileSync(file, 'objectives:\n  - { id: a, service: shop, target: 99.95, indicator: { availability: }, windows: [28d, month], agreement: { customer: ACME, consequence: none } }\n')
    assert.equal(await checkObjectives([file]), `${file}: a of shop, 99.95 % over 28d, month, an agreement with ACME`)
    writeFileSync(file, 'objectives:\n  - { id: a, service: shop, target: 199, indicator: { availability: } }\n')
    await assert.rejects(checkObjectives([join(folder, '*.yaml')]), (error) => error instanceof CommandError && error.message.startsWith(`${file}:2: objectives[0].target must be`))
  } finally {
    rmSync(folder, { recursive: true })
  }
})
