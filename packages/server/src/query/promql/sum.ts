/** A compensated sum. @see Neumaier 1974 */
export class Sum {
  #sum = 0
  #compensation = 0

  add(value: number): void {
    const total = this.#sum + value
    if (Number.isFinite(total)) this.#compensation += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - total + value : value - total + this.#sum
    else this.#compensation = 0
    this.#sum = total
  }

  get value(): number {
    return Number.isFinite(this.#sum) ? this.#sum + this.#compensation : this.#sum
  }
}
