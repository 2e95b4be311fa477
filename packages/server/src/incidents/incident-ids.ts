// Names of incidents: the day on which they were opened, and a number.
import type { Milliseconds } from '@andon/model'

/** Gives each id once, also where the clock is set back. */
export class IncidentIds {
  #day = ''
  #number = 0

  /** Takes note of one that was given before. */
  note(id: string): void {
    const [, day = '', number = '0'] = /^i(\d{8})-(\d+)$/.exec(id) ?? []
    if (day < this.#day) return
    this.#number = Math.max(day === this.#day ? this.#number : 0, Number(number))
    this.#day = day
  }

  next(now: Milliseconds): string {
    const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '')
    this.#number = day > this.#day ? 1 : this.#number + 1
    if (day > this.#day) this.#day = day
    return `i${this.#day}-${this.#number}`
  }
}
