import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { findChromium, launch } from './chromium.ts'
import { answers, BIG_TRACE, coverageOf } from './dashboard-answers.ts'
import { type DashboardServer, serveDashboard } from './dashboard-server.ts'
import { PHONE, seriousFaults, textOf, visitPage } from './dashboard-visit.ts'
import { eventually } from './eventually.ts'

const FILES = fileURLToPath(new URL('../../packages/dashboard/dist-web', import.meta.url))
const SMALL_TRACE = '1'.padStart(32, '0')
const skip = findChromium() === null ? 'no Chromium is installed here, so the pages of the dashboard were not tested' : false

const isLive = (page: Page): Promise<void> => page.getByRole('button', { name: /^Live\./ }).waitFor()
/** Each page and what stands on it when it has loaded. */
const PAGES: readonly (readonly [string, string])[] = [
  ['/', '.chart canvas'],
  ['/service/kanban', 'tbody tr'],
  ['/traces?status=error', '.results-body [role="row"]'],
  [`/trace/${SMALL_TRACE}?span=0000000000000008`, '.detail'],
  ['/status', '.status-table'],
]

describe('the dashboard in a browser', { skip }, () => {
  let browser: Browser
  let server: DashboardServer
  /** What a path answers in place of its usual answer. */
  const changed = new Map<string, unknown>()
  before(async () => {
    server = await serveDashboard(FILES, (url) => changed.get(url.pathname) ?? answers(url))
    browser = await launch()
  })
  after(async () => {
    await browser.close()
    await server.close()
  })

  const visit = (path: string, options: BrowserContextOptions, test: (page: Page) => Promise<void>): Promise<void> => visitPage(browser, { url: server.url + path, ...options }, test)

  it('shows every number of the overview with its unit', () =>
    visit('/', {}, async (page) => {
      await page.getByRole('link', { name: 'kanban', exact: true }).waitFor()
      const row = await textOf(page, 'tbody tr:has-text("kanban")')
      for (const text of ['12.3 req/s', '2.13 %', '12.4 ms', '48.2 ms', '–']) assert.ok(row.includes(text), `${text} in ${row}`)
      const tiles = await textOf(page, '[aria-label="Kanban"]')
      for (const text of ['48.2 ms', '131 ms', '92.7 %', '36.5 ops/s']) assert.ok(tiles.includes(text), `${text} in ${tiles}`)
      assert.match(await textOf(page, '[aria-label="Host"]'), /34 %.*62 %.*41 %.*2 MiB\/s/)
      assert.match(await textOf(page, '.own'), /2.1 %.*391 MiB.*49.6 MiB/)
      assert.match(await textOf(page, '.page-head'), /Newest data [2-9](\.\d+)? s old/)
    }))

  it('is live over one stream', () =>
    visit('/', {}, async (page) => {
      await page.getByRole('button', { name: /^Live\./ }).waitFor()
      await page.getByRole('button', { name: /^Live\./ }).click()
      await page.getByRole('button', { name: /^Paused\./ }).waitFor()
      assert.equal(new URL(page.url()).searchParams.get('live'), 'off')
    }))

  for (const [way, without] of [
    ['a shared worker', ''],
    ['the tab that leads', 'delete globalThis.SharedWorker'],
  ] as const) {
    it(`carries the live data of all tabs over one stream, through ${way}`, async () => {
      const context = await browser.newContext()
      await context.addInitScript(without)
      const [first, second] = [await context.newPage(), await context.newPage()]
      await first.goto(server.url)
      await isLive(first)
      await second.goto(`${server.url}/service/kanban`)
      await isLive(second)
      assert.equal(server.streams(), 1)
      await first.close()
      await second.getByRole('link', { name: 'Overview', exact: true }).click()
      await second.getByRole('link', { name: 'mailer' }).waitFor()
      await isLive(second)
      assert.equal(server.streams(), 1)
      await context.close()
    })
  }

  it('polls where no stream can be shared', () =>
    visit('/', {}, async (page) => {
      await page.addInitScript('delete globalThis.SharedWorker; delete globalThis.BroadcastChannel')
      await page.reload()
      await page.getByRole('button', { name: /^Polling\./ }).waitFor()
    }))

  it('sorts the services and opens one by keyboard', () =>
    visit('/', {}, async (page) => {
      const names = (): Promise<string[]> => page.locator('tbody tr td:first-child a').allInnerTexts()
      await page.getByRole('link', { name: 'mailer' }).waitFor()
      assert.deepEqual(await names(), ['kanban', 'mailer'])
      await page.getByRole('button', { name: 'p95' }).click()
      assert.deepEqual(await names(), ['mailer', 'kanban'])
      await page.getByRole('link', { name: 'mailer' }).focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'kanban', level: 1 }).waitFor()
    }))

  it('restores what the URL says', () =>
    visit('/traces?service=kanban&operation=POST%20/api/tasks&minDuration=10ms&attr=a%3Db&from=2026-11-24T11:00:00Z&to=2026-11-24T12:00:00Z&tz=utc', {}, async (page) => {
      await page.getByRole('button', { name: /2026-11-24 11:00:00 – 12:00:00/ }).waitFor()
      await page.getByRole('button', { name: /^Fixed time\./ }).waitFor()
      assert.equal(await page.getByRole('combobox', { name: 'Service' }).inputValue(), 'kanban')
      assert.equal(await page.getByRole('textbox', { name: 'At least' }).inputValue(), '10ms')
      await page.getByRole('button', { name: 'Remove the filter a=b' }).waitFor()
      const asked = server.asked.findLast((path) => path.startsWith('/api/spans/search'))
      const params = new URLSearchParams(asked?.split('?')[1])
      assert.equal(params.get('minDuration'), '10ms')
      assert.equal(params.get('attr'), 'a=b')
      await page.locator('.results-body [role="row"]').first().waitFor()
      assert.match(await textOf(page, '.results-body'), /POST \/api\/tasks/)
      await page.getByRole('link', { name: 'Overview', exact: true }).click()
      await page.waitForURL(/\/\?from=2026-11-24T11:00:00Z&to=2026-11-24T12:00:00Z&tz=utc$/)
    }))

  it('sets the time by a drag on a chart, and the back button undoes it', () =>
    visit('/service/kanban', {}, async (page) => {
      const chart = page.locator('.chart .u-over').first()
      await chart.waitFor()
      const box = await chart.boundingBox()
      assert.ok(box)
      await page.mouse.move(box.x + box.width * 0.25, box.y + 40)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width * 0.75, box.y + 50, { steps: 5 })
      await page.mouse.up()
      await page.waitForURL(/from=2026-/)
      const params = new URL(page.url()).searchParams
      const length = Date.parse(params.get('to') ?? '') - Date.parse(params.get('from') ?? '')
      assert.ok(Math.abs(length - 450_000) < 20_000, `the half of 15 minutes, not ${length} ms`)
      await page.getByRole('button', { name: /^Fixed time\./ }).waitFor()
      await page.goBack()
      await page.getByRole('button', { name: 'Last 15 minutes' }).waitFor()
      await chart.dblclick({ position: { x: 150, y: 60 } })
      await page.getByRole('button', { name: 'Last 30 minutes' }).waitFor()
      await page.keyboard.press('z')
      await page.getByRole('button', { name: 'Last hour' }).waitFor()
    }))

  it('tells the limit of the heap without drawing it while little of it is used', () =>
    visit('/service/kanban', {}, async (page) => {
      const chart = page.locator('.chart', { hasText: 'Heap' })
      await chart.locator('canvas').waitFor()
      assert.deepEqual((await chart.locator('.chart-legend li').allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' ').replace(/used .*/, 'used')), ['used', 'limit 229 MiB'])
      assert.equal(await chart.locator('.chart-legend .swatch').count(), 1)
    }))

  it('says which operations of a service have no data', () =>
    visit('/service/kanban', {}, async (page) => {
      const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Coverage' }) })
      await panel.getByText('4 of 6 routes').waitFor()
      assert.equal(await panel.locator('.coverage-share').innerText(), '66.7 %')
      assert.deepEqual(await panel.locator('tbody tr').allInnerTexts().then((rows) => rows.map((row) => row.replaceAll(/\s+/g, ' ').trim())), ['route DELETE /api/boards/:id/columns/:column', 'job send digests'])
    }))

  it('follows the coverage of a service live', () =>
    visit('/service/kanban', {}, async (page) => {
      const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Coverage' }) })
      await panel.getByText('4 of 6 routes').waitFor()
      await isLive(page)
      changed.set('/api/coverage', coverageOf(5))
      await eventually('the stream carries the coverage', () => Promise.resolve(server.push('/api/coverage') > 0 || undefined))
      await panel.getByText('5 of 6 routes').waitFor()
      assert.equal(await panel.locator('tbody tr').count(), 1)
      changed.set('/api/coverage', coverageOf(6))
      server.push('/api/coverage')
      await panel.getByText('6 of 6 routes').waitFor()
      assert.deepEqual([await panel.locator('tbody tr').count(), await panel.locator('.coverage-share').innerText()], [0, '100 %'])
    }).finally(() => changed.clear()))

  it('shows what blocked the event loop, and the stack when it is opened', () =>
    visit('/service/kanban', {}, async (page) => {
      const panel = page.locator('.panel', { has: page.getByRole('heading', { name: 'Event loop blocked' }) })
      const rows = panel.locator('tbody tr')
      await rows.first().waitFor()
      assert.equal(await rows.count(), 2)
      assert.match((await rows.nth(1).innerText()).replaceAll(/\s+/g, ' '), /1\.25 s cpu \/api\/login at hashPassword \(\/srv\/kanban\/password\.ts:12\)/)
      assert.match(await rows.nth(0).innerText(), /No profile was taken meanwhile/)
      await panel.locator('summary').click()
      await panel.getByText('at handle (/srv/kanban/http.ts:7)').waitFor()
    }))

  it('shows the cursor of one chart in all', () =>
    visit('/service/kanban', {}, async (page) => {
      await page.locator('.chart .u-over').first().hover({ position: { x: 150, y: 60 } })
      await page.waitForFunction("[...document.querySelectorAll('.chart-clock')].filter((clock) => /^\\d\\d:\\d\\d:\\d\\d$/.test(clock.textContent)).length > 5")
    }))

  it('scrolls a trace of 5,000 spans while few rows are in the page', () =>
    visit(`/trace/${BIG_TRACE}`, {}, async (page) => {
      const tree = page.getByRole('tree')
      await page.getByText('5,000 spans').first().waitFor()
      assert.ok((await tree.getByRole('treeitem').count()) < 120)
      await tree.focus()
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('End')
      await page.getByRole('treeitem', { name: /step 4999/ }).waitFor()
      assert.ok((await tree.getByRole('treeitem').count()) < 120)
      await page.keyboard.press('Enter')
      await page.getByRole('complementary', { name: 'Span step 4999' }).waitFor()
      await page.waitForURL(/span=0000000000001388/)
      await page.keyboard.press('Escape')
      await page.keyboard.press('Home')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowLeft')
      await page.getByText('4,991 of 5,000 spans').waitFor()
    }))

  it('tells how full the disk is, what was dropped for it, and how long each signal is kept', () =>
    visit('/status?tz=utc', {}, async (page) => {
      const panel = (title: string): Promise<string> => page.locator('.panel', { has: page.getByRole('heading', { name: title, exact: true }) }).innerText().then((text) => text.replaceAll(/\s+/g, ' '))
      await page.getByRole('heading', { name: 'Disk' }).waitFor()
      assert.match(await panel('Disk'), /Above the mark .*Free 10 % 9\.5 GiB .*Dropped spans of 2026-11-21 2026-11-24 11:59 1\.5 GiB/)
      assert.match(await panel('Retention'), /Samples and histograms since 2026-11-15 15 d Spans since 2026-11-22 7 d Errors since 2026-11-15 30 d/)
    }))

  it('says why a trace cannot be shown', () =>
    visit('/trace/dead', {}, async (page) => {
      await page.getByRole('alert').waitFor()
      assert.match(await textOf(page, '[role="alert"]'), /There is no such trace.*It may have expired/)
    }))

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`follows a ${colorScheme} system, then what was chosen`, () =>
      visit('/', { colorScheme }, async (page) => {
        await page.getByRole('link', { name: 'mailer' }).waitFor()
        const shown = (): Promise<string> => page.evaluate("document.documentElement.dataset.mantineColorScheme + ' ' + getComputedStyle(document.body).backgroundColor")
        const first = await shown()
        assert.equal(first, colorScheme === 'dark' ? 'dark rgb(11, 15, 21)' : 'light rgb(244, 246, 249)')
        await page.keyboard.press('d')
        await page.waitForFunction(`document.documentElement.dataset.mantineColorScheme !== '${colorScheme}'`)
        await page.reload()
        assert.notEqual(await shown(), first)
      }))
  }

  for (const [path, loaded] of PAGES) {
    it(`fits a phone without scrolling sideways: ${path}`, () =>
      visit(path, { viewport: PHONE }, async (page) => {
        await page.locator(loaded).first().waitFor()
        assert.equal(await page.evaluate('document.documentElement.scrollWidth - innerWidth'), 0)
      }))
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`has no serious fault of accessibility: ${path}, ${colorScheme}`, () =>
        visit(path, { colorScheme, reducedMotion: 'reduce' }, async (page) => {
          await page.locator(loaded).first().waitFor()
          assert.deepEqual(await seriousFaults(page), [])
        }))
    }
  }

  it('jumps by Ctrl K and lists its keys by ?', () =>
    visit('/', {}, async (page) => {
      await page.getByRole('link', { name: 'mailer' }).waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor({ state: 'hidden' })
      await page.keyboard.press('Control+k')
      await page.keyboard.type(SMALL_TRACE)
      await page.getByRole('option').first().waitFor()
      await page.keyboard.press('Enter')
      await page.waitForURL(new RegExp(`/trace/${SMALL_TRACE}`))
    }))

  it('loads less than 350 KB of script and style, compressed, before the overview is shown', () =>
    visit('/', {}, async (page) => {
      await page.getByRole('link', { name: 'mailer' }).waitFor()
      const urls: string[] = await page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => /\\.(js|css)$/.test(name))")
      const { gzipSync } = await import('node:zlib')
      const sizes = await Promise.all(urls.map(async (url) => gzipSync(await readFile(FILES + new URL(url).pathname)).length))
      const total = sizes.reduce((sum, size) => sum + size, 0)
      assert.ok(sizes.length > 2 && total < 350_000, `${total} bytes in ${sizes.length} files`)
    }))
})
