import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { findChromium, launch } from './chromium.ts'
import { BACKTEST } from './alerting/rules.ts'
import { OPEN_INCIDENT } from './alerting/scene.ts'
import { answers } from './dashboard-answers.ts'
import { NOW } from './dashboard-now.ts'
import { type DashboardServer, Refusal, type Sent, serveDashboard } from './dashboard-server.ts'
import { PHONE, seriousFaults, textOf, visitPage } from './dashboard-visit.ts'
import { eventually } from './eventually.ts'

const FILES = fileURLToPath(new URL('../../packages/dashboard/dist-web', import.meta.url))
const skip = findChromium() === null ? 'no Chromium is installed here, so the pages of alerts and incidents were not tested' : false
const ENDED = 'inc-2026-11-21-1'
/** Each page and what stands on it when it has loaded. */
const PAGES: readonly (readonly [string, string])[] = [
  ['/incidents', '.open-incident'],
  [`/incidents/${OPEN_INCIDENT}`, '.timeline .entry'],
  [`/incidents/${ENDED}`, '.verdicts'],
  ['/incidents/figures', '.dot'],
  ['/incidents/quality', 'tbody tr'],
  ['/incidents/on-call', '.runbook-list li'],
  ['/alerts?open=ErrorBurst000000', '.alert-more canvas'],
  ['/alerts/history', '.rule-strips li'],
  ['/alerts/rules', '.rule'],
  ['/alerts/rules/slow-tasks', '.rule-editor canvas'],
  ['/silences', '.silences li'],
  ['/silences?new=1&matcher=service_name%3D%22kanban%22', '[role="dialog"] form'],
  ['/objectives', 'tbody tr'],
  ['/objectives/kanban-works', '.months li'],
  ['/objectives/kanban-works/report', '.days li'],
  ['/detectors', 'tbody tr'],
  ['/detectors/kanban-errors', 'tbody tr'],
  ['/deploys', 'tbody tr'],
  ['/deploys/d3', 'tbody tr'],
]
/** What stands there while nothing is there yet. */
const EMPTY: readonly (readonly [string, string, unknown, RegExp])[] = [
  ['/incidents', '/api/incidents', { now: NOW, incidents: [] }, /Nothing is open/],
  ['/alerts', '/api/alerts', { now: NOW, alerts: [] }, /Nothing fires/],
  ['/alerts/history', '/api/alerts/history', { from: NOW - 1000, to: NOW, changes: [] }, /Nothing fired in this time/],
  ['/alerts/rules', '/api/v1/rules', { data: { groups: [] } }, /There are no rules yet/],
  ['/silences', '/api/silences', { now: NOW, silences: [] }, /Nothing is silenced/],
  ['/objectives', '/api/objectives', { objectives: [] }, /There are no objectives yet/],
  ['/detectors', '/api/detectors', { now: NOW, until: NOW, replaying: false, total: 0, detectors: [] }, /Nothing is watched yet/],
  ['/deploys', '/api/deploys', { from: NOW - 1000, to: NOW, deploys: [] }, /No deploy in this time/],
  ['/incidents/quality', '/api/alert-quality', { from: 0, to: NOW, budget: null, rules: [] }, /No rule has fired/],
]

const nothingToSay = (): object => ({})

describe('the pages of alerts, incidents and objectives in a browser', { skip }, () => {
  let browser: Browser
  let server: DashboardServer
  /** What a path answers in place of its usual answer; null is 404. */
  const replaced = new Map<string, unknown>()
  /** How a change is answered. */
  let change: (sent: Sent) => unknown = nothingToSay
  before(async () => {
    server = await serveDashboard(FILES, (url) => (replaced.has(url.pathname) ? (replaced.get(url.pathname) ?? undefined) : answers(url)), (sent) => change(sent))
    browser = await launch()
  })
  after(async () => {
    await browser.close()
    await server.close()
  })
  beforeEach(() => {
    replaced.clear()
    change = nothingToSay
  })

  const visit = (path: string, test: (page: Page) => Promise<void>, options: BrowserContextOptions & { readonly expected?: RegExp } = {}): Promise<void> => visitPage(browser, { url: server.url + path, now: NOW, ...options }, test)
  const sentTo = (path: string): Promise<Sent> => eventually(`a change is sent to ${path}`, () => Promise.resolve(server.sent.findLast((one) => one.path === path)))

  for (const [path, loaded] of PAGES) {
    // One visit for all looks: a browser takes longer to open a page than to judge it.
    it(`has no serious fault of accessibility in light and dark, and fits a phone: ${path}`, () =>
      visit(
        path,
        async (page) => {
          await page.locator(loaded).first().waitFor()
          assert.deepEqual(await seriousFaults(page), [])
          await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
          await page.locator('html[data-mantine-color-scheme="dark"]').waitFor()
          // Colours that still change are neither those of the one nor of the other.
          await eventually('the colours to settle', async () => ((await page.evaluate('document.getAnimations().every((each) => !(each instanceof CSSTransition))')) === true ? true : undefined))
          assert.deepEqual(await seriousFaults(page), [], 'dark')
          await page.setViewportSize(PHONE)
          await page.locator(loaded).first().waitFor()
          assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0)
        },
        { colorScheme: 'light', reducedMotion: 'reduce' },
      ))
  }

  for (const [path, route, answer, words] of EMPTY) {
    it(`says that there is nothing: ${path}`, () => {
      replaced.set(route, answer)
      return visit(path, (page) => page.getByText(words).first().waitFor())
    })
  }

  it('says what is broken, since when, who knows, what changed and what to do', () =>
    visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      await page.getByText('Roll back kanban').first().waitFor()
      const glance = await textOf(page, '.glance')
      for (const words of [/What is broken 8\.4 % of the requests of kanban fail/, /Since when 14 min/, /Nobody has taken it Told: slack-web, pagerduty-web/, /on call: anna/, /Deployed: kanban 1\.3\.0 .* 5 min before it began/, /Roll back kanban .* 1 of 4 done/]) assert.match(glance, words)
    }))

  it('acknowledges an incident by a key, shows it at once, and tells the server the revision that was seen', () =>
    visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      await page.getByRole('button', { name: 'Acknowledge' }).waitFor()
      await page.keyboard.press('a')
      const sent = await sentTo(`/api/incidents/${OPEN_INCIDENT}/state`)
      assert.deepEqual([sent.method, sent.body], ['POST', { state: 'acknowledged', revision: 7 }])
      await page.getByText('Acknowledged. It stands in the timeline.').waitFor()
    }))

  it('does not acknowledge where `g a` goes to the alerts', () =>
    visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      await page.getByRole('button', { name: 'Acknowledge' }).waitFor()
      const count = server.sent.length
      await page.keyboard.press('g')
      await page.keyboard.press('a')
      await page.getByRole('heading', { name: 'Alerts', level: 1 }).waitFor()
      assert.equal(server.sent.length, count)
    }))

  it('acknowledges from a link in a message only when it is pressed', () =>
    visit(`/incidents/${OPEN_INCIDENT}?do=acknowledge`, async (page) => {
      const dialog = page.getByRole('dialog', { name: 'Acknowledge this incident?' })
      await dialog.waitFor()
      const count = server.sent.length
      await dialog.getByRole('button', { name: 'Acknowledge' }).click()
      await eventually('the change is sent', () => Promise.resolve(server.sent.length > count || undefined))
      await dialog.waitFor({ state: 'hidden' })
      assert.equal(new URL(page.url()).searchParams.get('do'), null)
    }))

  it('takes back what it showed and says why when the server refuses', async () => {
    change = () => new Refusal(409, 'conflict', 'It was changed meanwhile.')
    await visit(
      '/incidents',
      async (page) => {
        await page.getByRole('button', { name: 'Acknowledge Requests of kanban fail' }).click()
        await page.getByRole('alert').getByText('It was not acknowledged: It was changed meanwhile.').waitFor()
        await page.getByRole('button', { name: 'Acknowledge Requests of kanban fail' }).waitFor()
      },
      { expected: /409/ },
    )
  })

  it('notes a comment, a step of the runbook and a verdict', async () => {
    await visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      await page.getByRole('textbox', { name: 'Comment' }).fill('Rolled back.')
      await page.keyboard.press('Control+Enter')
      assert.deepEqual((await sentTo(`/api/incidents/${OPEN_INCIDENT}/comments`)).body, { text: 'Rolled back.' })
      await page.getByRole('checkbox', { name: 'Roll back kanban if it was deployed in the last hour' }).click()
      assert.deepEqual((await sentTo(`/api/incidents/${OPEN_INCIDENT}/steps`)).body, { runbook: 'error-burst', step: 1, done: true })
    })
    await visit(`/incidents/${ENDED}`, async (page) => {
      await page.locator('.verdicts li', { hasText: 'ErrorBurst' }).getByText('Noise').click()
      assert.deepEqual((await sentTo(`/api/incidents/${ENDED}/quality`)).body, { verdicts: { ErrorBurst: 'noise' } })
    })
  })

  it('asks before it resolves what still fires', () =>
    visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      const count = server.sent.length
      await page.getByRole('button', { name: 'Resolve' }).click()
      await page.getByText('1 of its alerts still fires').waitFor()
      await page.getByRole('button', { name: 'Cancel' }).click()
      assert.equal(server.sent.length, count)
    }))

  it('opens what was pinned, and writes the draft of a post-mortem', () =>
    visit(`/incidents/${ENDED}`, async (page) => {
      await page.getByText('Errors of kanban').click()
      await page.getByRole('rowheader', { name: /duplicate key value violates/ }).waitFor()
      await page.getByRole('button', { name: 'Write the draft' }).click()
      await page.getByRole('heading', { name: 'What to change' }).waitFor()
      assert.deepEqual(await page.locator('.markdown input[type="checkbox"]').evaluateAll((boxes) => boxes.map((box) => box.matches(':checked'))), [false, true])
    }))

  it('silences an alert with one click and a reason, and can take it back', async () => {
    change = ({ method }) => (method === 'DELETE' ? undefined : { id: 'made-1', matchers: [], state: 'active', startsAt: NOW, endsAt: NOW + 1, createdBy: 'local', comment: '' })
    await visit('/alerts', async (page) => {
      await page.getByRole('button', { name: 'Silence ErrorBurst' }).click()
      const dialog = page.getByRole('dialog', { name: 'Silence ErrorBurst' })
      await dialog.getByText('1 active alert will be silenced.').waitFor()
      await dialog.getByRole('button', { name: 'Silence' }).click()
      await dialog.getByText('Say why').waitFor()
      await dialog.getByRole('textbox', { name: 'Why' }).fill('Being rolled back')
      await dialog.getByText('8 h', { exact: true }).click()
      await dialog.getByRole('button', { name: 'Silence' }).click()
      const body = (await sentTo('/api/silences')).body as { matchers: { name: string; operator: string; value: string }[]; startsAt: number; endsAt: number; comment: string }
      assert.deepEqual(
        body.matchers.map(({ name, operator, value }) => `${name}${operator}${value}`),
        ['alertname=ErrorBurst', 'service_name=kanban', 'deployment_environment_name=production'],
      )
      assert.equal(body.comment, 'Being rolled back')
      assert.ok(Math.abs(body.endsAt - body.startsAt - 8 * 3_600_000) <= 60_000)
      await page.getByRole('button', { name: 'Undo' }).click()
      assert.equal((await sentTo('/api/silences/made-1')).method, 'DELETE')
    })
  })

  it('refuses a silence of everything', () =>
    visit('/silences?new=1', async (page) => {
      const count = server.sent.length
      await page.getByRole('textbox', { name: 'Alerts with these labels' }).fill('service_name=~".*"')
      await page.getByText('these match every alert').waitFor()
      await page.getByRole('textbox', { name: 'Why' }).fill('x')
      await page.getByRole('dialog').getByRole('button', { name: 'Silence' }).click()
      assert.equal(server.sent.length, count)
    }))

  it('ends a silence after asking', () =>
    visit('/silences', async (page) => {
      await page.locator('.silences li').first().getByRole('button', { name: 'End' }).click()
      await page.getByText('1 alert that fires will be told at once.').waitFor()
      await page.getByRole('button', { name: 'End it' }).click()
      assert.equal((await sentTo('/api/silences/silence-1')).method, 'DELETE')
    }))

  it('shows the runbook of an alert with what its checks say', () =>
    visit('/alerts', async (page) => {
      await page.getByRole('button', { name: 'Runbook of ErrorBurst' }).click()
      const dialog = page.getByRole('dialog', { name: 'Requests fail' })
      await dialog.getByText('Share of failed requests').waitFor()
      assert.match(await textOf(page, '[role="dialog"]'), /8\.4 %.*nothing found.*took longer than 10 s.*Roll back kanban/)
      assert.equal(await page.getByRole('link', { name: 'Runbook of SlowStatements' }).getAttribute('href'), 'https://wiki.example/slow-statements')
    }))

  it('saves a rule only after it was tried as it stands', async () => {
    change = ({ path }) => (path === '/api/rules/backtest' ? BACKTEST : {})
    await visit('/alerts/rules/new', async (page) => {
      const save = page.getByRole('button', { name: 'Save the rule' })
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.getByText('Which metric?').waitFor()
      await page.getByRole('combobox', { name: 'Metric' }).fill('kanban.task.creation')
      await page.getByRole('textbox', { name: 'Threshold' }).fill('500')
      await page.getByRole('textbox', { name: 'Name' }).fill('Tasks are slow')
      assert.ok(await save.isDisabled())
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.getByText('Would have fired 3 times in the last 14 days').waitFor()
      const tried = (await sentTo('/api/rules/backtest')).body
      assert.deepEqual(tried, { rule: { id: 'Tasks-are-slow', alert: 'Tasks are slow', for: '1m', metric: 'kanban.task.creation', operator: 'gt', threshold: 500, severity: 'warning', window: '5m' }, days: 14 })
      await page.getByRole('textbox', { name: 'Threshold' }).fill('600')
      assert.ok(await save.isDisabled(), 'what was tried is another rule')
      await page.getByRole('button', { name: 'Try it' }).click()
      await eventually('it may be saved', async () => (await save.isEnabled()) || undefined)
      await save.click()
      const saved = await sentTo('/api/rules/own')
      assert.deepEqual([saved.method, (saved.body as { threshold: number }).threshold, (saved.body as { id: string }).id], ['POST', 600, 'Tasks-are-slow'])
      await page.waitForURL(/\/alerts\/rules$/)
    })
  })

  it('judges an expression while it is typed, with the place of the fault', () =>
    visit('/alerts/rules/new', async (page) => {
      await page.getByText('PromQL', { exact: true }).click()
      await page.getByRole('textbox', { name: 'Expression' }).fill('sum(rate(x[5m])')
      await page.getByText(/^1:16: /).waitFor()
      await page.getByRole('textbox', { name: 'Expression' }).fill('sum(rate(x[5m]))')
      await page.getByText('It compares with nothing').waitFor()
      await page.getByRole('textbox', { name: 'Expression' }).fill('sum(rate(x[5m])) > 200')
      await page.locator('.rule-editor .chart-legend', { hasText: 'threshold' }).waitFor()
    }))

  it('changes a rule that was made here in place, and removes one after asking', async () => {
    change = ({ path }) => (path === '/api/rules/backtest' ? BACKTEST : {})
    await visit('/alerts/rules/slow-tasks', async (page) => {
      await page.getByRole('textbox', { name: 'Threshold' }).fill('700')
      await page.getByRole('button', { name: 'Try it' }).click()
      await page.getByText('Would have fired 3 times').waitFor()
      await page.getByRole('button', { name: 'Save the change' }).click()
      const saved = await sentTo('/api/rules/own/slow-tasks')
      assert.deepEqual([saved.method, (saved.body as { threshold: number }).threshold], ['PUT', 700])
      await page.getByRole('button', { name: 'Tasks are slow' }).click()
      await page.getByRole('button', { name: 'Remove' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
      await eventually('it is removed', () => Promise.resolve(server.sent.some(({ method, path }) => method === 'DELETE' && path === '/api/rules/own/slow-tasks') || undefined))
    })
  })

  it('restores filters and the opened alert from the URL', () =>
    visit('/alerts?show=suppressed&severity=warning&open=HeapGrows0000000', async (page) => {
      await page.locator('.alert-row').first().waitFor()
      assert.deepEqual(await page.locator('.alert-row h2').allInnerTexts(), ['PoolExhausted', 'HeapGrows'])
      assert.equal(await page.getByRole('button', { name: 'HeapGrows', exact: true }).getAttribute('aria-expanded'), 'true')
      await page.getByRole('button', { name: 'service_name=worker' }).click()
      await page.waitForURL(/find=service_name%3Dworker/)
      assert.deepEqual(await page.locator('.alert-row h2').allInnerTexts(), ['HeapGrows'])
      await page.goBack()
      await page.getByRole('button', { name: 'PoolExhausted', exact: true }).waitFor()
    }))

  it('follows the alerts live', () =>
    visit('/alerts', async (page) => {
      await page.getByRole('button', { name: 'SlowStatements', exact: true }).waitFor()
      await page.getByRole('button', { name: /^Live\./ }).waitFor()
      replaced.set('/api/alerts', { now: NOW, alerts: [] })
      await eventually('the stream carries the alerts', () => Promise.resolve(server.push('/api/alerts') > 0 || undefined))
      await page.getByText('Nothing fires').first().waitFor()
    }))

  it('says what is not there, and heals when it is asked again', () =>
    visit(`/incidents/${OPEN_INCIDENT}`, async (page) => {
      replaced.set('/api/incidents/gone', null)
      await page.goto(`${server.url}/incidents/gone`)
      await page.getByRole('alert').waitFor()
      const [again, healed] = [page.getByRole('button', { name: 'Try again' }), page.getByRole('heading', { name: /Requests of kanban fail/, level: 1 })]
      await again.waitFor()
      replaced.set('/api/incidents/gone', answers(new URL(`/api/incidents/${OPEN_INCIDENT}`, server.url)))
      // The page asks by itself too, and may have healed before it is pressed.
      await again.or(healed).first().dispatchEvent('click')
      await healed.waitFor()
    }))

  it('asks what another target would have meant', () =>
    visit('/objectives/kanban-works', async (page) => {
      await page.locator('.months li').first().waitFor()
      assert.equal(await page.locator('.months .missed').count(), 1)
      await page.getByRole('slider', { name: 'Another target' }).focus()
      for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowRight')
      await eventually('all months are missed', async () => (await page.locator('.months .missed').count()) === 5 || undefined)
      assert.equal(new URL(page.url()).searchParams.get('target'), '99.99')
      await page.getByText('Route', { exact: true }).click()
      await page.getByText('/api/tasks').first().waitFor()
    }))

  it('tells whether an agreement was kept, month by month', () =>
    visit('/objectives/kanban-works/report', async (page) => {
      await page.getByText('Kept so far').waitFor()
      await page.getByRole('button', { name: '2026-10' }).click()
      await page.getByText('Kept', { exact: true }).waitFor()
      await page.getByRole('button', { name: '2026-09' }).click()
      await page.getByText('Broken', { exact: true }).waitFor()
      assert.match(await textOf(page, '.verdict'), /99\.87 % was good, 99\.9 % was promised — 0\.03 points too little.*10 % of the fee/)
      assert.equal(await page.getByRole('link', { name: 'CSV' }).getAttribute('href'), '/api/agreements/kanban-works/report?month=2026-09&format=csv')
    }))

  it('marks a deploy', () =>
    visit('/deploys', async (page) => {
      await page.getByRole('button', { name: 'Mark a deploy' }).click()
      await page.getByRole('textbox', { name: 'Service' }).fill('kanban')
      await page.getByRole('textbox', { name: 'Version' }).fill('1.4.0')
      await page.getByRole('button', { name: 'Mark it' }).click()
      assert.deepEqual((await sentTo('/api/deploys')).body, { service: 'kanban', version: '1.4.0' })
    }))

  it('tries a channel, and says what came of it', async () => {
    change = ({ path }) => (path.includes('slack') ? { delivered: true, state: 'delivered', detail: '', tookMs: 80 } : { delivered: false, state: 'permanent', detail: '550 no such mailbox', tookMs: 80 })
    await visit('/incidents/on-call', async (page) => {
      await page.getByRole('button', { name: 'Send a test message by slack-web' }).click()
      await page.getByText('slack-web has taken a test message.').waitFor()
      await page.getByRole('button', { name: 'Send a test message by mail-web' }).click()
      await page.getByText('mail-web did not take the test message: 550 no such mailbox').waitFor()
      await page.getByRole('button', { name: 'Enable mail-web' }).click()
      assert.equal((await sentTo('/api/notifications/channels/mail-web/enable')).method, 'POST')
    })
  })

  it('counts what nobody has acknowledged on every page', () =>
    visit('/status', async (page) => {
      await page.locator('.nav-badge').waitFor()
      assert.match(await textOf(page, '.nav-badge'), /^1 not acknowledged/)
    }))
})
