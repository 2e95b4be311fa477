#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { OPTIONS } from './config.ts'
import { runServer } from './run.ts'

const flagged = OPTIONS.flatMap((option) => (option.flag === undefined ? [] : [{ name: option.name, flag: option.flag.slice(2) }]))

function readFlags(): { flags: Record<string, string>; file: string | undefined } | undefined {
  try {
    const { values } = parseArgs({ options: { config: { type: 'string' }, ...Object.fromEntries(flagged.map(({ flag }) => [flag, { type: 'string' as const }])) } })
    const given = new Map<string, unknown>(Object.entries(values))
    const flags = flagged.flatMap(({ name, flag }): [string, string][] => {
      const value = given.get(flag)
      return typeof value === 'string' ? [[name, value]] : []
    })
    const file = given.get('config')
    return { flags: Object.fromEntries(flags), file: typeof file === 'string' ? file : undefined }
  } catch (error) {
    process.stderr.write(`andon: ${error instanceof Error ? error.message : String(error)}\nOptions: --config FILE ${flagged.map(({ flag }) => `--${flag} …`).join(' ')}\n`)
    return undefined
  }
}

const sources = readFlags()
process.exitCode = sources === undefined ? 2 : await runServer({ ...sources, env: process.env })
