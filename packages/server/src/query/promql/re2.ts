import { AndonError } from '@andon/model'
import { RE2JS } from 're2js'

/**
 * An expression that must match a whole text, line ends included. It runs in time linear in the text, whatever it is.
 *
 * @param where - for the message of an error
 * @throws AndonError query_failed when it is not one of RE2
 */
export function anchored(pattern: string, where: string): RE2JS {
  try {
    return RE2JS.compile(`^(?s:${pattern})$`)
  } catch {
    throw new AndonError('query_failed', `invalid regular expression in ${where}: ${pattern}`)
  }
}
