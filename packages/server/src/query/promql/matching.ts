// Operators between two vectors: which elements belong together, one to one or many to one. @see prometheus promql/engine.go VectorBinop
import { AndonError, type Labels, labelsKey, sortedPairs } from '@andon/model'
import type { VectorMatching } from '@andon/promql'
import { changesWhatIsMeasured, operate, type Operator, type Value } from './operators.ts'
import { ABSENT, element, get, type GridElement, set, type VectorValue, withoutName } from './vector.ts'

interface MatchOperation extends Operator {
  readonly matching: VectorMatching
  readonly steps: number
}

/** Elements of both sides with the same matching labels; "one" is the side that must be unique. */
interface MatchGroup {
  /** The matching labels with their values. */
  readonly labels: Labels
  readonly many: GridElement[]
  readonly one: GridElement[]
}

function matchingLabels(labels: Labels, { on, labels: names }: VectorMatching): Labels {
  if (on) return Object.fromEntries(names.flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])))
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__' && !names.includes(name)))
}

function groups(many: readonly GridElement[], one: readonly GridElement[], matching: VectorMatching): MatchGroup[] {
  const found = new Map<string, MatchGroup>()
  const add = (side: 'many' | 'one', each: GridElement): void => {
    const labels = matchingLabels(each.labels, matching)
    const key = labelsKey(labels)
    let group = found.get(key)
    if (group === undefined) found.set(key, (group = { labels, many: [], one: [] }))
    group[side].push(each)
  }
  for (const each of many) add('many', each)
  for (const each of one) add('one', each)
  return [...found.values()]
}

/** The labels of a result: those of the "many" side, less what the matching takes away, with what it includes from the "one" side. */
function resultLabels(many: Labels, one: Labels, { op, matching }: MatchOperation): Labels {
  const labels: Record<string, string> = { ...(changesWhatIsMeasured(op) ? withoutName(many) : many) }
  if (matching.group === 'none') {
    for (const name of Object.keys(labels)) if (matching.labels.includes(name) !== matching.on) delete labels[name]
  }
  for (const name of matching.include) {
    const value = one[name] ?? ''
    if (value === '') delete labels[name]
    else labels[name] = value
  }
  return labels
}

function labelText(labels: Labels): string {
  return `{${sortedPairs(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(', ')}}`
}

interface Sample {
  readonly labels: Labels
  readonly dropName: boolean
  readonly value: Value
}

function sampleOf(each: GridElement, step: number): Sample | undefined {
  const value = get(each, step)
  return value === undefined ? undefined : { labels: each.labels, dropName: each.dropName, value }
}

/** The one element of the "one" side that has a value at a step. */
function onlyAt({ one, labels }: MatchGroup, step: number, side: 'left' | 'right'): Sample | undefined {
  let found: Sample | undefined
  for (const each of one) {
    const sample = sampleOf(each, step)
    if (sample === undefined) continue
    if (found !== undefined) {
      const both = [labelText(found.labels), labelText(sample.labels)].toSorted().join(', ')
      throw new AndonError('query_failed', `found duplicate series for the match group ${labelText(labels)} on the ${side} hand-side of the operation: [${both}];many-to-many matching not allowed: matching labels must be unique on one side`)
    }
    found = sample
  }
  return found
}

function fillOf(value: number | undefined, labels: Labels): Sample | undefined {
  return value === undefined ? undefined : { labels: withoutName(labels), dropName: false, value }
}

function ambiguous({ matching }: MatchOperation): AndonError {
  return new AndonError('query_failed', `multiple matches for labels: ${matching.group === 'none' ? 'many-to-one matching must be explicit (group_left/group_right)' : 'grouping labels must ensure unique matches'}`)
}

/** Results by their labels; two of them at one step are an error. */
class Results {
  readonly #operation: MatchOperation
  readonly #isRight: boolean
  readonly #found = new Map<string, GridElement>()
  readonly #cache = new Map<Labels, Map<Labels, GridElement>>()

  constructor(operation: MatchOperation) {
    this.#operation = operation
    this.#isRight = operation.matching.group === 'right'
  }

  /** Joins all elements of the "many" side that have a value at a step; of one to one matching that may be one only. @returns whether there was any */
  joinAll(many: readonly GridElement[], one: Sample, step: number): boolean {
    let isMatched = false
    for (const each of many) {
      const sample = sampleOf(each, step)
      if (sample === undefined) continue
      if (isMatched && this.#operation.matching.group === 'none') throw ambiguous(this.#operation)
      isMatched = true
      this.join(sample, one, step)
    }
    return isMatched
  }

  /** Joins a pair at a step. */
  join(many: Sample, one: Sample, step: number): void {
    const [left, right] = this.#isRight ? [one, many] : [many, one]
    const answer = operate(this.#operation, left.value, right.value, left.value)
    if (answer === undefined) return
    const result = this.#resultOf(many, one)
    if (get(result, step) !== undefined) throw ambiguous(this.#operation)
    set(result, step, answer)
  }

  #resultOf(many: Sample, one: Sample): GridElement {
    let byOne = this.#cache.get(many.labels)
    if (byOne === undefined) this.#cache.set(many.labels, (byOne = new Map()))
    const cached = byOne.get(one.labels)
    if (cached !== undefined) return cached
    const labels = resultLabels(many.labels, one.labels, this.#operation)
    const key = labelsKey(labels)
    let result = this.#found.get(key)
    if (result === undefined) this.#found.set(key, (result = element(labels, this.#operation.steps, many.dropName || this.#operation.bool)))
    byOne.set(one.labels, result)
    return result
  }

  get elements(): GridElement[] {
    return [...this.#found.values()]
  }
}

/** 1 at the steps where both sides have something, or one has and what the other lacks is filled. */
function askedSteps(many: readonly GridElement[], one: readonly GridElement[], isFilled: boolean, steps: number): Uint8Array {
  const [a, b] = [new Uint8Array(steps), new Uint8Array(steps)]
  for (const { present } of many) for (let step = 0; step < steps; step += 1) if (present[step] !== ABSENT) a[step] = 1
  for (const { present } of one) for (let step = 0; step < steps; step += 1) if (present[step] !== ABSENT) b[step] = 1
  return a.map((has, step) => (isFilled ? has | (b[step] ?? 0) : has & (b[step] ?? 0)))
}

/**
 * An operator between the matching elements of two vectors.
 *
 * @throws AndonError query_failed when matches are not unique
 */
export function matchVectors(left: readonly GridElement[], right: readonly GridElement[], operation: MatchOperation): VectorValue {
  const { matching, steps } = operation
  const isRight = matching.group === 'right'
  const [many, one] = isRight ? [right, left] : [left, right]
  // As Prometheus has it, the left fill is that of the "many" side even where that stands on the right.
  const { left: fillMany, right: fillOne } = matching.fill
  const results = new Results(operation)
  const isAsked = askedSteps(many, one, fillMany !== undefined || fillOne !== undefined, steps)
  for (const group of groups(many, one, matching)) {
    const [filledMany, filledOne] = [fillOf(fillMany, group.labels), fillOf(fillOne, group.labels)]
    for (let step = 0; step < steps; step += 1) {
      if (isAsked[step] === 0) continue
      const found = onlyAt(group, step, isRight ? 'left' : 'right')
      const partner = found ?? filledOne
      if (partner === undefined) continue
      const isMatched = results.joinAll(group.many, partner, step)
      if (!isMatched && filledMany !== undefined && found !== undefined) results.join(filledMany, found, step)
    }
  }
  return { type: 'vector', elements: results.elements }
}
