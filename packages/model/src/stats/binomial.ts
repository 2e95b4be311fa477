// Tails and likelihoods of the binomial and the beta-binomial distribution. Counts need not be whole: those of samples are not.
import type { Ratio } from '../units.ts'

const LANCZOS = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7]

/**
 * The logarithm of the gamma function, to about 14 digits.
 *
 * @param x - greater than 0
 * @see Lanczos 1964, g = 7, n = 9
 */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  let sum = 0.9999999999998099
  for (let index = 0; index < LANCZOS.length; index += 1) sum += (LANCZOS[index] ?? 0) / (x + index)
  const t = x + 6.5
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum)
}

const TINY = 1e-300
const STEPS_MAX = 10_000

/** Never 0, by which one divides. */
function apart(value: number): number {
  return Math.abs(value) < TINY ? TINY : value
}

/** The continued fraction of the incomplete beta function. @see Numerical Recipes, 6.4 */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / apart(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m <= STEPS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / apart(1 + even * d)
    c = apart(1 + even / c)
    result *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / apart(1 + odd * d)
    c = apart(1 + odd / c)
    result *= d * c
    if (Math.abs(d * c - 1) < 1e-13) break
  }
  return result
}

/** The regularised incomplete beta function I_x(a, b); a and b greater than 0, x within 0..1. */
function incompleteBeta(a: number, b: number, x: number): Ratio {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, 1 - x)) / b
}

/**
 * How likely at least k of n are bad where each is with probability p.
 *
 * @param n - 0 or more
 * @param k - within 0..n
 * @example binomialTail(3, 2, 0.5) // 0.5
 */
export function binomialTail(n: number, k: number, p: Ratio): Ratio {
  if (k <= 0) return 1
  if (k > n || p <= 0) return 0
  if (p >= 1) return 1
  // n - k + 1 is at least 1, also where neither is whole.
  return Math.min(1, Math.max(0, incompleteBeta(k, n - k + 1, p)))
}

/** The logarithm of Γ(base + by) / Γ(base). */
function rise(base: number, by: number): number {
  return by <= 0 ? 0 : logGamma(base + by) - logGamma(base)
}

/**
 * The logarithm of how many times likelier k bad ones of n are where each is bad with probability q rather than p; under
 * over-dispersion where the probability of a slice itself varies about q, or p.
 *
 * @param dispersion - ρ, the correlation of two of one slice, 0 for none: then this is the binomial's
 */
export function logLikelihoodRatio(n: number, k: number, { q, p, dispersion }: { readonly q: Ratio; readonly p: Ratio; readonly dispersion: Ratio }): number {
  if (dispersion <= 0) return k * Math.log(q / p) + (n - k) * Math.log((1 - q) / (1 - p))
  const m = 1 / dispersion - 1
  return rise(m * q, k) - rise(m * p, k) + rise(m * (1 - q), n - k) - rise(m * (1 - p), n - k)
}
