// Statements by their text: what is made of one is remembered, since most texts come again and again.
import { canonicalStatement, type StatementText, xxHash64 } from '@andon/model'

export interface IdentifiedStatement extends StatementText {
  /** xxHash64 of the text. */
  readonly id: bigint
  /** OpenTelemetry's name of the database; '' where it is not known. */
  readonly system: string
}

/** Texts of each of two generations that are remembered: values in a text let it go past them. */
const MAX_TEXTS = 1000

let young = new Map<string, IdentifiedStatement>()
let old = new Map<string, IdentifiedStatement>()

/** A statement as it is grouped, with its id. */
export function identified(statement: string, system: string): IdentifiedStatement {
  const key = `${system}\n${statement}`
  const known = young.get(key)
  if (known !== undefined) return known
  let found = old.get(key)
  if (found === undefined) {
    const canonical = canonicalStatement(statement, system)
    found = { ...canonical, system, id: xxHash64(canonical.text) }
  }
  if (young.size >= MAX_TEXTS) {
    old = young
    young = new Map<string, IdentifiedStatement>()
  }
  young.set(key, found)
  return found
}
