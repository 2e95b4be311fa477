// The flags of the programs beside the kanban.
import { parseArgs } from 'node:util'

/** A program's flags, each of which takes a value. */
export interface Flags<Name extends string> {
  readonly name: string
  /** What `--help` prints. */
  readonly usage: string
  readonly flags: readonly Name[]
}

/**
 * The values of a program's flags. `--help` prints the usage and ends with 0, an unknown flag says so and ends with 2.
 *
 * @param args - of the command line
 */
export function readFlags<Name extends string>({ name, usage, flags }: Flags<Name>, args: string[] = process.argv.slice(2)): Partial<Record<Name, string>> {
  try {
    const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } }
    for (const flag of flags) options[flag] = { type: 'string' }
    const { values } = parseArgs({ args, options })
    if (values['help'] === true) {
      process.stdout.write(usage)
      process.exit(0)
    }
    const found: Partial<Record<Name, string>> = {}
    for (const flag of flags) {
      const value = values[flag]
      if (typeof value === 'string') found[flag] = value
    }
    return found
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return process.exit(2)
  }
}
