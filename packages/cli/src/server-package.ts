import { CommandError, EXIT } from './exit.ts'

/** What the commands use of the server. */
export interface ServerPackage {
  /** @returns the exit code, when the server has ended */
  readonly runServer: (sources: {
    readonly flags: Readonly<Record<string, string | undefined>>
    readonly env: Readonly<Record<string, string | undefined>>
    readonly file: string | undefined
  }) => Promise<number>
  /** @throws AndonError bad_config naming file and line */
  readonly checkConfig: (text: string, name: string) => ReadonlyMap<string, unknown>
  /** @throws AndonError bad_rules naming file and line */
  readonly readRuleFiles: (paths: readonly string[]) => readonly { readonly file: string; readonly rules: readonly { readonly kind: 'alert' | 'record' }[] }[]
  /** @throws AndonError bad_config naming file, line and path */
  readonly readObjectiveFiles: (paths: readonly string[]) => readonly {
    readonly id: string
    readonly file: string
    readonly service: string
    readonly target: number
    readonly windows: readonly { readonly name: string }[]
    readonly agreement: { readonly customer: string } | undefined
  }[]
  /** @throws AndonError bad_rules when a file cannot be read */
  readonly runRuleTests: (path: string) => Promise<{ readonly tests: number; readonly failures: readonly string[] }>
}

/**
 * Loads the server, which is an optional dependency: everything that only talks HTTP works without it.
 *
 * @throws CommandError problem when it is not installed
 */
export async function loadServer(): Promise<ServerPackage> {
  try {
    return await import('@andon/server')
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@andon/server')) {
      throw new CommandError(EXIT.problem, 'This needs the server, which is not installed: npm install @andon/server')
    }
    throw error
  }
}
