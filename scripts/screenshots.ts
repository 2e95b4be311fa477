// `npm run screenshots`: pictures of the running system (`npm start` in another terminal) for README and guides.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { chromium, type Page } from 'playwright-core'

const andon = process.env['ANDON_URL'] ?? 'http://127.0.0.1:4318'
const kanban = process.env['KANBAN_URL'] ?? 'http://127.0.0.1:3000'
const folder = resolve(import.meta.dirname, '../../docs/images')

interface Picture {
  readonly name: string
  readonly url: string
  readonly scheme: 'light' | 'dark'
  readonly width: number
  readonly height: number
  /** What is done before the picture is taken. */
  readonly prepare?: (page: Page) => Promise<void>
}

async function logIn(page: Page): Promise<void> {
  await page.locator('input').nth(0).fill('demo')
  await page.locator('input').nth(1).fill('demo')
  await page.keyboard.press('Enter')
  await page.getByText('Web shop').first().click()
}

/** The longest of the latest traces of the kanban: the one with most to see. */
async function longestTrace(): Promise<string> {
  const response = await fetch(`${andon}/api/spans/search?from=now-15m&to=now&service=kanban&limit=200`)
  const { traces }: { traces: { traceId: string; spanCount: number }[] } = JSON.parse(await response.text())
  return traces.toSorted((a, b) => b.spanCount - a.spanCount)[0]?.traceId ?? ''
}

/** The newest incident; '' where there has been none. */
async function newestIncident(): Promise<string> {
  const response = await fetch(`${andon}/api/incidents?limit=1`)
  const { incidents = [] }: { incidents?: { id: string }[] } = JSON.parse(await response.text())
  return incidents[0]?.id ?? ''
}

const desktop = { width: 1440, height: 900 }
const pictures: readonly Picture[] = [
  { name: 'overview', url: andon, scheme: 'light', ...desktop },
  { name: 'service', url: `${andon}/service/kanban`, scheme: 'dark', ...desktop },
  { name: 'trace', url: `${andon}/trace/${await longestTrace()}`, scheme: 'light', ...desktop },
  { name: 'incident', url: `${andon}/incidents/${await newestIncident()}`, scheme: 'light', ...desktop },
  { name: 'alerts', url: `${andon}/alerts`, scheme: 'dark', ...desktop },
  { name: 'objectives', url: `${andon}/objectives`, scheme: 'light', ...desktop },
  { name: 'overview-phone', url: andon, scheme: 'dark', width: 390, height: 844 },
  { name: 'kanban', url: kanban, scheme: 'light', width: 1280, height: 800, prepare: logIn },
]

mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
try {
  for (const { name, url, scheme, width, height, prepare } of pictures) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme })
    await page.goto(url)
    await page.waitForLoadState('load')
    await prepare?.(page)
    // The page draws its charts when the first live answer has come.
    await page.waitForTimeout(4000)
    await page.screenshot({ path: join(folder, `${name}.png`) })
    await page.close()
    process.stdout.write(`docs/images/${name}.png\n`)
  }
} finally {
  await browser.close()
}
