import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

export const DESKTOP: { readonly width: number; readonly height: number } = { width: 1440, height: 900 }
export const PHONE: { readonly width: number; readonly height: number } = { width: 390, height: 844 }

/** Where to go, and what is done before. */
export interface Visit extends BrowserContextOptions {
  readonly url: string
  /** The time of the page's clock, milliseconds since the Unix epoch; the real one where it is absent. */
  readonly now?: number
  /** Errors that the page may complain about, because the test provokes them. */
  readonly expected?: RegExp
}

/** Opens a page in a browser of its own and fails on anything the page complains about. */
export async function visitPage(browser: Browser, { url, now, expected, ...options }: Visit, test: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: DESKTOP, timezoneId: 'Europe/Berlin', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('404') && expected?.test(message.text()) !== true) complaints.push(message.text())
  })
  try {
    if (now !== undefined) await page.clock.install({ time: now })
    await page.goto(url)
    await test(page)
    assert.deepEqual(complaints, [])
  } finally {
    await context.close()
  }
}

/** What axe finds that is serious or worse, each with the elements. */
export async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  const found: { impact: string; id: string; nodes: { html: string }[] }[] = await page.evaluate('axe.run().then((result) => result.violations)')
  const serious = found.filter((one) => one.impact === 'serious' || one.impact === 'critical')
  return serious.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
}

/** The text of the first element that a selector finds, its blanks as single spaces. */
export async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().innerText()).replaceAll(/\s+/g, ' ')
}
