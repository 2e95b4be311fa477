// An older version of a library under its own name, for the tests beside it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Copies a package that is installed under an alias to where it is found by its own name, and its dependencies are still found.
 *
 * @returns a file of no content beside which `require(name)` gives the copy
 */
export function copyAs(t: { after(end: () => void): void }, alias: string, name: string): string {
  const root = mkdtempSync(fileURLToPath(new URL('copy-', import.meta.url)))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const manifest = createRequire(import.meta.url).resolve(`${alias}/package.json`)
  cpSync(join(manifest, '..'), join(root, 'node_modules', name), { recursive: true })
  return join(root, 'app.js')
}
