// The instruments of all meters, each by what makes it itself.
import { diag } from '@opentelemetry/api'
import { Instrument, type InstrumentDescription } from './instrument.ts'

function kindOf({ kind, isObserved, unit }: InstrumentDescription): string {
  const called = kind === 'updown' ? 'up-down counter' : kind
  return `${isObserved ? 'an observable' : kind === 'updown' ? 'an' : 'a'} ${called}${unit === '' ? '' : ` in ${unit}`}`
}

/**
 * Name, kind and unit of a scope are one instrument. Of one name there may be several, which never mix: each is exported as a metric of its
 * own, and each but the first is named once on the diagnostic log.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/sdk/#duplicate-instrument-registration
 */
export class InstrumentSet {
  readonly #byName = new Map<string, Instrument[]>()
  readonly #all: Instrument[] = []

  /** In the order in which they were made. */
  get all(): readonly Instrument[] {
    return this.#all
  }

  /** The instrument that is described; made when there is none. The words of its description are those it was made with. */
  get(wanted: InstrumentDescription): Instrument {
    const { name, scope } = wanted
    const key = `${scope.name}\n${name}`
    let ofName = this.#byName.get(key)
    if (ofName === undefined) this.#byName.set(key, (ofName = []))
    const known = ofName.find(({ description: { kind, isObserved, unit } }) => kind === wanted.kind && isObserved === wanted.isObserved && unit === wanted.unit)
    if (known !== undefined) return known
    const [first] = ofName
    if (first !== undefined) diag.warn(`andon: "${name}" of "${scope.name}" is ${kindOf(first.description)} and ${kindOf(wanted)}, too: they are exported apart from each other, under one name; give one of them another`)
    const made = new Instrument(wanted)
    ofName.push(made)
    this.#all.push(made)
    return made
  }
}
