import { readFileSync } from 'node:fs'
import { AndonError } from '@andon/model'
import { CommandError, EXIT } from './exit.ts'
import { loadServer } from './server-package.ts'

/**
 * Checks a configuration file.
 *
 * @returns what to say when all is well
 * @throws CommandError problem, naming the line that is wrong; usage when the file cannot be read
 */
export async function check(file: string): Promise<string> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(EXIT.usage, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const { checkConfig } = await loadServer()
  try {
    const options = checkConfig(text, file)
    return `${file}: ${options.size} ${options.size === 1 ? 'option' : 'options'}, all well`
  } catch (error) {
    if (error instanceof AndonError) throw new CommandError(EXIT.problem, `${error.message}\n${error.hint}`)
    throw error
  }
}
