import type * as Server from '@andon/server'
import { CommandError, EXIT } from './exit.ts'

/**
 * Loads the server, which is an optional dependency: everything that only talks HTTP works without it.
 *
 * @throws CommandError problem when it is not installed
 */
export async function loadServer(): Promise<typeof Server> {
  try {
    return await import('@andon/server')
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ERR_MODULE_NOT_FOUND' && error.message.includes('@andon/server')) {
      throw new CommandError(EXIT.problem, 'This needs the server, which is not installed: npm install @andon/server')
    }
    throw error
  }
}
