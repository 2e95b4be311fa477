// What a fake receiver took: spells of alerts, each named by a word in its summary.

/** How a receiver behaves. */
export const MODES = ['up', 'down', 'limited', 'broken', 'slow', 'late', 'half', 'cut'] as const
export type Mode = (typeof MODES)[number]

/** One spell of one alert, as a receiver was told of it. */
export interface ToldSpell {
  readonly spell: string
  readonly state: 'firing' | 'resolved' | 'fired and resolved'
}

/** One message that a receiver took; it may have been told again by somebody who did not hear the answer. */
export interface Taken {
  readonly sequence: string
  readonly channel: string
  /** By which a repetition is known; '' where the protocol has none. */
  readonly id: string
  readonly spells: readonly ToldSpell[]
}

/** Who takes note, and says how a receiver behaves just now. */
export interface Desk {
  mode(sequence: string, channel: string): Mode
  take(taken: Taken): void
  /** Something that the protocol does not allow. */
  fault(text: string): void
}

/** The spells that a text tells of, by its lines. */
export function spellsOf(text: string): ToldSpell[] {
  return [...text.matchAll(/(FIRING|FIRED AND RESOLVED|RESOLVED) Spell (\w+)[,:]/g)].map(([, word = '', spell = '']) => ({
    spell,
    state: word === 'FIRING' ? 'firing' : word === 'RESOLVED' ? 'resolved' : 'fired and resolved',
  }))
}
