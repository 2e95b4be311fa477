// After start: what records and what does not, said once.
import { readFileSync, statSync } from 'node:fs'
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'
import { isWatched } from './load.ts'
import { describe, note, outcomes } from './outcomes.ts'

const AFTER_MS: Milliseconds = 2000
/** A program's own file that is larger has been bundled; one of more is not read. */
const BUNDLE_BYTES = { atLeast: 50_000, atMost: 32_000_000 }

/** Bundlers name where each part came from, unless told otherwise. */
const ORIGIN = /node_modules\/(?:\.pnpm\/[^/\s"']+\/node_modules\/)?((?:@[\w.-]+\/)?[\w.-]+)\//g

/** Packages that are part of the program's own file, where the loader cannot see them. */
export function bundledIn(source: string, isKnown: (name: string) => boolean): readonly string[] {
  const found = new Set<string>()
  for (const [, name] of source.matchAll(ORIGIN)) if (name !== undefined && !found.has(name) && isKnown(name)) found.add(name)
  return [...found]
}

function lookForBundle(): void {
  const [, main] = process.argv
  if (main === undefined) return
  try {
    const { size } = statSync(main)
    if (size < BUNDLE_BYTES.atLeast || size > BUNDLE_BYTES.atMost) return
    for (const name of bundledIn(readFileSync(main, 'utf8'), isWatched)) {
      note({ name, version: '', path: main, by: 'andon', reason: 'bundled', detail: 'mark it as external for the bundler' })
    }
  } catch {
    // The program's file cannot be read: it was given as text, or is gone.
  }
}

/** Says what records through `diag`; what does not, in one line on the error output. */
export function report(): void {
  lookForBundle()
  const all = outcomes()
  const failed = all.filter(({ reason }) => reason !== undefined)
  const working = all.filter(({ reason }) => reason === undefined).map((each) => `${describe(each)} by ${each.by}`)
  diag.info(`andon: instrumented ${working.join(', ') || 'nothing yet'}`)
  if (failed.length > 0) process.stderr.write(`andon: not instrumented: ${failed.map(describe).join(', ')}\n`)
}

/** Reports once the program has had time to load what it needs, or when it ends before. @returns what takes it back */
export function reportSoon(): () => void {
  let isDone = false
  const once = (): void => {
    if (isDone) return
    isDone = true
    cancel()
    report()
  }
  const timer = setTimeout(once, AFTER_MS)
  timer.unref()
  process.once('beforeExit', once)
  const cancel = (): void => {
    clearTimeout(timer)
    process.removeListener('beforeExit', once)
  }
  return cancel
}
