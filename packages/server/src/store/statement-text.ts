// Statements by their text: what is made of one is remembered, since most texts come again and again.
import { canonicalStatement, type StatementText, xxHash64 } from '@andon/model'

export class IdentifiedStatement implements StatementText {
  readonly text: string
  readonly operation: StatementText['operation']
  readonly collections: StatementText['collections']
  /** OpenTelemetry's name of the database; '' where it is not known. */
  readonly system: string
  /** xxHash64 of the text. */
  readonly id: bigint
  /** The id in decimal. */
  readonly idText: string

  constructor({ text, operation, collections }: StatementText, system: string, id: bigint) {
    this.text = text
    this.operation = operation
    this.collections = collections
    this.system = system
    this.id = id
    this.idText = String(id)
  }
}

/** Texts of each of two generations that are remembered: values in a text let it go past them. */
const MAX_TEXTS = 1000

type Texts = Map<string, Map<string, IdentifiedStatement>>

/** By system and text, so that no key is made for each span. */
let young: Texts = new Map()
let old: Texts = new Map()
let size = 0

/** A statement as it is grouped, with its id. */
export function identified(statement: string, system: string): IdentifiedStatement {
  const known = young.get(system)?.get(statement)
  if (known !== undefined) return known
  let found = old.get(system)?.get(statement)
  if (found === undefined) {
    const canonical = canonicalStatement(statement, system)
    found = new IdentifiedStatement(canonical, system, xxHash64(canonical.text))
  }
  if (size >= MAX_TEXTS) {
    old = young
    young = new Map()
    size = 0
  }
  const texts = young.get(system)
  if (texts === undefined) young.set(system, new Map([[statement, found]]))
  else texts.set(statement, found)
  size += 1
  return found
}
