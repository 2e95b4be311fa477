import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/**
 * The browser that tests of pages use: CHROMIUM_PATH, or one that is installed.
 *
 * @returns its path; null when there is none, and the test should say that it is skipped
 */
export function findChromium(): string | null {
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined && named !== '') return existsSync(named) ? named : null
  return INSTALLED.find((path) => existsSync(path)) ?? null
}

/**
 * Starts the browser without a window. The caller closes it.
 *
 * @throws Error when no browser is found
 */
export async function launch(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error('No Chromium is installed here. Install one, or name it in CHROMIUM_PATH.')
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-background-networking'] })
}
