/** What the exit codes of `andon` mean. */
export const EXIT = { ok: 0, problem: 1, usage: 2, unreachable: 3 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Ends a command with a message for the person and a code for the program. */
export class CommandError extends Error {
  readonly code: ExitCode

  constructor(code: ExitCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.code = code
  }
}
