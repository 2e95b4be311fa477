// Chance that is the same at every run, for tests of this folder.

/** How many of n are bad, each with probability p: by the gaps between them. */
export function binomialOf(random: () => number, n: number, p: number): number {
  if (p <= 0) return 0
  const log = Math.log1p(-p)
  let [found, at] = [0, -1]
  for (;;) {
    at += 1 + Math.floor(Math.log(1 - random()) / log)
    if (at >= n) return found
    found += 1
  }
}

/** How many arrive where `mean` do on average: exactly below 50, as a normal distribution has it above. */
export function poissonOf(random: () => number, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())))
  const limit = Math.exp(-mean)
  let [count, product] = [0, random()]
  while (product > limit) {
    count += 1
    product *= random()
  }
  return count
}
