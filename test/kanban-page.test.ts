import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { findChromium, launch } from './chromium.ts'
import { startProgram } from './program.ts'

const DESKTOP = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }
const FITS = 'document.documentElement.scrollWidth <= window.innerWidth'
const skip = findChromium() === null ? 'no Chromium is installed here, so the pages of the kanban were not tested' : false

interface Person {
  readonly context: BrowserContext
  readonly page: Page
  readonly complaints: string[]
}

async function startPage(t: TestContext): Promise<{ url: string; browser: Browser }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kanban-page-'))
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  const program = await startProgram(t, ['apps/kanban/dist/main.js'], { KANBAN_PORT: '0', KANBAN_DATA_DIR: dataDir, OTEL_SDK_DISABLED: 'true' })
  // As an operator ends it, so that its PostgreSQL ends before the folder goes.
  t.after(() => program.stop())
  const browser = await launch()
  t.after(() => browser.close())
  return { url: program.url, browser }
}

/** Signs in with a browser of its own, and opens the first board. */
async function enter(browser: Browser, url: string, name: string, password: string, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A refusal is an answer too, and the browser writes every one of them to its console.
    if (message.type() === 'error' && !/status of 409/.test(message.text())) complaints.push(message.text())
  })
  await page.goto(url)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.locator('.board-tile').first().click()
  await page.locator('.live.open').waitFor()
  return { context, page, complaints }
}

const column = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true })
const cardIn = (page: Page, columnName: string, title: string): Locator => column(page, columnName).locator('[data-card]').filter({ hasText: title })

async function addCard(page: Page, columnName: string, title: string): Promise<void> {
  const field = page.getByLabel(`Title of a new card in ${columnName}`)
  if (!(await field.isVisible())) await column(page, columnName).locator('[data-add-card]').click()
  await field.fill(title)
  await field.press('Enter')
  await cardIn(page, columnName, title).waitFor()
}

async function dragTo(page: Page, card: Locator, target: Locator): Promise<void> {
  const from = await card.boundingBox()
  const to = await target.boundingBox()
  assert.ok(from !== null && to !== null)
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2)
  await page.mouse.down()
  await page.mouse.move(from.x + from.width / 2 + 20, from.y + from.height / 2, { steps: 4 })
  await page.mouse.move(to.x + to.width / 2, to.y + 90, { steps: 12 })
  await page.locator('.column.over, .column.forbidden').first().waitFor()
  await page.mouse.up()
}

async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  const found: { impact: string; id: string; nodes: { html: string }[] }[] = await page.evaluate('axe.run().then((result) => result.violations)')
  const serious = found.filter((one) => one.impact === 'serious' || one.impact === 'critical')
  return serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
}

const shotTo = process.env['KANBAN_SHOTS']
/** Keeps a picture of the page in the folder KANBAN_SHOTS, for people who change its looks. */
async function shoot(page: Page, name: string): Promise<void> {
  if (shotTo !== undefined) await page.screenshot({ path: join(shotTo, `kanban-${name}.png`) })
}

describe('the kanban in a browser', { skip }, () => {
  it('lets a team work on a board, each seeing the others at once', async (t) => {
    const { url, browser } = await startPage(t)
    const demo = await enter(browser, url, 'demo', 'demo')
    const ada = await enter(browser, url, 'ada', 'ada-lovelace')
    const { page } = demo

    await t.test('a new card appears for both', async () => {
      await addCard(page, 'To do', 'Mend the fence')
      await cardIn(ada.page, 'To do', 'Mend the fence').waitFor()
      await page.getByRole('button', { name: 'Done', exact: true }).click()
      await shoot(page, 'board-light')
    })

    await t.test('the mouse moves it, and it stays moved', async () => {
      await dragTo(page, cardIn(page, 'To do', 'Mend the fence'), column(page, 'Doing'))
      await cardIn(page, 'Doing', 'Mend the fence').waitFor()
      await cardIn(ada.page, 'Doing', 'Mend the fence').waitFor()
      await page.reload()
      await cardIn(page, 'Doing', 'Mend the fence').waitFor()
    })

    await t.test('the keyboard moves it, says so, and puts it back on Escape', async () => {
      await cardIn(page, 'Doing', 'Mend the fence').focus()
      await page.keyboard.press('Space')
      await page.keyboard.press('ArrowRight')
      assert.match(await page.locator('[data-spoken]').innerText(), /Mend the fence: Done, position \d+ of \d+/)
      await page.keyboard.press('Escape')
      await cardIn(page, 'Doing', 'Mend the fence').waitFor()
      await page.keyboard.press('Enter')
      await page.keyboard.press('ArrowRight')
      await page.keyboard.press('Enter')
      await cardIn(ada.page, 'Done', 'Mend the fence').waitFor()
      assert.match(await page.evaluate<string>('document.activeElement.textContent'), /Mend the fence/)
    })

    await t.test('a full column refuses, and says why', async () => {
      const full = await column(page, 'Doing').locator('[data-card]').count()
      await page.getByRole('button', { name: 'Commands of Doing' }).click()
      await page.getByRole('menuitem', { name: 'Name and limit…' }).click()
      await page.getByLabel(/Most cards/).fill(String(full))
      await page.getByRole('button', { name: 'Save' }).click()
      await column(page, 'Doing').getByText(`${full}/${full}`).waitFor()
      await dragTo(page, cardIn(page, 'Done', 'Mend the fence'), column(page, 'Doing'))
      await page.locator('.toast.bad').filter({ hasText: /limit/ }).waitFor()
      await cardIn(page, 'Done', 'Mend the fence').waitFor()
      await shoot(page, 'refused-light')
    })

    await t.test('a card opens, is described, discussed and closed', async () => {
      await cardIn(page, 'Done', 'Mend the fence').click()
      await page.getByRole('button', { name: 'Write one' }).click()
      await page.getByLabel('Description in markdown').fill('With **new** posts.\n\n- oak\n- nails <img src=x onerror="document.title=1">')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.locator('dialog .markdown strong').filter({ hasText: 'new' }).waitFor()
      assert.equal(await page.locator('dialog .markdown img').count(), 0)
      await page.getByLabel('New step').fill('Buy oak')
      await page.getByLabel('New step').press('Enter')
      await page.getByRole('checkbox', { name: 'Buy oak' }).click()
      await page.getByText('1 of 1 done').waitFor()
      assert.ok(await page.getByRole('checkbox', { name: 'Buy oak' }).isChecked())
      await page.getByLabel('New comment').fill('Looks *good*.')
      await page.getByRole('button', { name: 'Comment', exact: true }).click()
      await page.locator('.comment em').waitFor()
      assert.deepEqual(await seriousFaults(page), [])
      await shoot(page, 'card-light')
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
    })

    await t.test('the search is in the address', async () => {
      await page.keyboard.press('/')
      await page.keyboard.type('fence')
      await page.waitForURL(/q=fence/)
      assert.equal(await page.locator('[data-card]').count(), 1)
      await page.getByRole('button', { name: 'Clear' }).click()
    })

    assert.deepEqual([...demo.complaints, ...ada.complaints], [])
  })

  it('shows a viewer everything and offers no change', async (t) => {
    const { url, browser } = await startPage(t)
    const { page, complaints } = await enter(browser, url, 'vera', 'vera-viewer')
    await page.getByText('Read only').waitFor()
    assert.equal(await page.locator('[data-add-card]').count(), 0)
    await page.locator('[data-card]').first().focus()
    await page.keyboard.press('Enter')
    await page.locator('dialog').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Archive card' }).count(), 0)
    assert.deepEqual(complaints, [])
  })

  it('fits a phone, and is readable in light and dark', async (t) => {
    const { url, browser } = await startPage(t)
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const [size, viewport] of [['desktop', DESKTOP], ['phone', PHONE]] as const) {
        const { page, context, complaints } = await enter(browser, url, 'demo', 'demo', { colorScheme, viewport })
        assert.deepEqual(await seriousFaults(page), [], `${colorScheme} ${size}`)
        assert.ok(await page.evaluate<boolean>(FITS), `the board is wider than a ${size}`)
        await shoot(page, `${size}-${colorScheme}`)
        await page.locator('[data-card]').first().click()
        await page.locator('.card-dialog').waitFor()
        assert.deepEqual(await seriousFaults(page), [], `the card, ${colorScheme} ${size}`)
        await shoot(page, `card-${size}-${colorScheme}`)
        await page.keyboard.press('Escape')
        await page.getByRole('link', { name: 'Kanban' }).click()
        await page.getByRole('heading', { name: 'Boards' }).waitFor()
        assert.ok(await page.evaluate<boolean>(FITS), `the list of boards is wider than a ${size}`)
        await shoot(page, `boards-${size}-${colorScheme}`)
        assert.deepEqual(complaints, [])
        await context.close()
      }
    }
  })
})
