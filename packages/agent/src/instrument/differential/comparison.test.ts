// What differs between two trees of spans, and which of that may differ.
import type { Node } from './span-tree.test.ts'

/** One difference; a value that is not there is ''. */
interface Difference {
  /** The names of the spans above, ours. */
  readonly at: string
  /** `span` for one that only one side has, which is told by its name and statement; else `name`, `status`, `exceptions` or the key of an attribute. */
  readonly field: string
  readonly ours: string
  readonly theirs: string
}

/** A difference on purpose. */
export interface Allowed {
  readonly field: string
  readonly at?: RegExp
  readonly ours?: RegExp
  readonly theirs?: RegExp
  readonly because: string
}

function matches({ field, at, ours, theirs }: Allowed, difference: Difference): boolean {
  return field === difference.field && (at?.test(difference.at) ?? true) && (ours?.test(difference.ours) ?? true) && (theirs?.test(difference.theirs) ?? true)
}

/** The first of one key is compared with the first of the other side: a program gives its own spans the same name in both. */
function keyOf({ kind, name }: Node): string {
  return kind === 'internal' ? name : kind
}

function labelOf(node: Node | undefined): string {
  const text = node?.attributes.get('db.query.text')
  return node === undefined ? '' : [node.name, ...(text === undefined ? [] : [`[${text}]`])].join(' ')
}

/** Compares the spans of one library; keeps which of the allowed differences were there. */
export class Comparison {
  readonly #allowed: readonly Allowed[]
  readonly #used = new Set<Allowed>()
  readonly #found: string[] = []

  constructor(allowed: readonly Allowed[]) {
    this.#allowed = allowed
  }

  /** Compares roots or children of one span. */
  compare(ours: readonly Node[], theirs: readonly Node[], at = ''): void {
    const [own, other] = [this.#without(ours, at, 'ours'), this.#without(theirs, at, 'theirs')]
    for (const key of new Set([...own, ...other].map(keyOf))) {
      const [left, right] = [own, other].map((nodes) => nodes.filter((node) => keyOf(node) === key))
      for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i += 1) this.#pair(left?.[i], right?.[i], at)
    }
  }

  /** What differs and is not allowed, then what is allowed and does not differ. */
  get faults(): readonly string[] {
    return [...this.#found, ...this.#allowed.filter((each) => !this.#used.has(each)).map(({ field, because }) => `no longer needed: ${field} (${because})`)]
  }

  /** Spans that only one side has, and may have, are taken out; what hangs below moves up. */
  #without(nodes: readonly Node[], at: string, side: 'ours' | 'theirs'): readonly Node[] {
    return nodes.flatMap((node) => (this.#isAllowed({ at, field: 'span', ours: '', theirs: '', [side]: labelOf(node) }) ? this.#without(node.children, at, side) : [node]))
  }

  /** What was recorded on a span, and on those below it that are taken out: each once, however many layers an error went through. */
  #exceptionsOf({ exceptions, children }: Node, at: string, side: 'ours' | 'theirs'): readonly string[] {
    const below = children.filter((child) => this.#isAllowed({ at, field: 'span', ours: '', theirs: '', [side]: labelOf(child) }))
    return [...new Set([...exceptions, ...below.flatMap((child) => this.#exceptionsOf(child, at, side))])]
  }

  #isAllowed(difference: Difference): boolean {
    const allowed = this.#allowed.filter((each) => (each.field === 'span' ? (each.ours ?? each.theirs) !== undefined : true) && matches(each, difference))
    for (const each of allowed) this.#used.add(each)
    return allowed.length > 0
  }

  #note(difference: Difference): void {
    if (difference.ours === difference.theirs || this.#isAllowed(difference)) return
    const { at, field, ours, theirs } = difference
    this.#found.push(`${at}: ${field}: ${ours || '(none)'} | theirs: ${theirs || '(none)'}`)
  }

  #pair(ours: Node | undefined, theirs: Node | undefined, above: string): void {
    if (ours === undefined || theirs === undefined) {
      this.#note({ at: above, field: 'span', ours: labelOf(ours), theirs: labelOf(theirs) })
      return
    }
    const at = above === '' ? ours.name : `${above} > ${ours.kind} ${ours.name}`
    this.#note({ at, field: 'name', ours: ours.name, theirs: theirs.name })
    this.#note({ at, field: 'status', ours: ours.status, theirs: theirs.status })
    for (const key of new Set([...ours.attributes.keys(), ...theirs.attributes.keys()])) this.#note({ at, field: key, ours: ours.attributes.get(key) ?? '', theirs: theirs.attributes.get(key) ?? '' })
    const [own, other] = [this.#exceptionsOf(ours, at, 'ours'), this.#exceptionsOf(theirs, at, 'theirs')]
    this.#note({ at, field: 'exceptions', ours: own.join(', '), theirs: other.join(', ') })
    // One that is recorded twice is counted twice.
    this.#note({ at, field: 'exceptions', ours: ours.exceptions.length > own.length ? ours.exceptions.join(', ') : '', theirs: '' })
    this.compare(ours.children, theirs.children, at)
  }
}
