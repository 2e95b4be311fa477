import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version of this package. */
export function ownVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
  const version: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'version') : undefined
  return typeof version === 'string' ? version : 'unknown'
}
