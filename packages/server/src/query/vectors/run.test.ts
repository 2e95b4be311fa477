// Runs Prometheus' own test files, which lie beside the repository or where PROMQLTEST says; they are no part of this
// project, and without them there is nothing to run.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Engine, type QueryResult } from '../engine.ts'
import type { SeriesSource } from '../promql/context.ts'
import { differenceOf, remarkDifferenceOf } from './compare.test.ts'
import type { Load } from '../memory/notation.ts'
import { commandsOf, type Evaluation } from './script.test.ts'

const folder = process.env['PROMQLTEST'] ?? resolve(import.meta.dirname, '../../../../../../shared/promqltest')
/** The names of the files there are. */
export const files: readonly string[] = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.test')).toSorted() : []
/** For tests that need them: false where they are here. */
export const missing: string | false = files.length === 0 ? 'they are not here; CONTRIBUTING.md says where they are looked for' : false

const LIMITS = { querySamples: 50_000_000, querySteps: 11_000, queryMs: 120_000 }

function failureDifference({ expectations }: Evaluation, error: unknown): string | undefined {
  const expected = expectations.find(({ kind }) => kind === 'fail')
  const message = error instanceof Error ? error.message : String(error)
  if (expected === undefined) return `failed: ${message}`
  if (expected.message !== undefined && !message.includes(expected.message)) return `expected to fail with "${expected.message}", failed with "${message}"`
  if (expected.pattern !== undefined && !new RegExp(expected.pattern).test(message)) return `expected to fail with /${expected.pattern}/, failed with "${message}"`
  return undefined
}

/** A query of one time must be the middle of a query of three. */
async function middleDifference(engine: Engine, evaluation: Evaluation, instant: QueryResult): Promise<string | undefined> {
  const { start, expression, expectations } = evaluation
  const isPlain = (instant.type === 'vector' || instant.type === 'scalar') && !expectations.some(({ kind }) => kind === 'ordered') && !/\b(?:step|range)\s*\(\s*\)|\b(?:start|end)\s*\(\s*\)/i.test(expression)
  if (!isPlain) return undefined
  const result = await engine.range(expression, start - 60_000, start + 60_000, 60_000)
  if (result.type !== 'matrix') return undefined
  const samples = result.series.flatMap(({ labels, points, histograms = [] }) => [...points, ...histograms].filter(([time]) => time === start).map(([, value]) => (typeof value === 'number' ? { labels, value } : { labels, value: Number.NaN, histogram: value })))
  const isScalar = instant.type === 'scalar'
  const difference = isScalar ? differenceOf(evaluation, { ...instant, value: samples[0]?.value ?? Number.NaN }) : differenceOf(evaluation, { ...instant, samples })
  return difference === undefined ? undefined : `as the middle of a range: ${difference}`
}

async function differenceAt(engine: Engine, evaluation: Evaluation, alsoAsRange: boolean): Promise<string | undefined> {
  const { start, end, step, expression, expectations } = evaluation
  let result: QueryResult
  try {
    result = step === undefined ? await engine.instant(expression, start) : await engine.range(expression, start, end, step)
  } catch (error) {
    return failureDifference(evaluation, error)
  }
  if (expectations.some(({ kind }) => kind === 'fail')) return 'expected to fail'
  const difference = differenceOf(evaluation, result) ?? remarkDifferenceOf(evaluation, result)
  if (difference !== undefined || step !== undefined || !alsoAsRange) return difference
  try {
    return await middleDifference(engine, evaluation, result)
  } catch (error) {
    return `as the middle of a range: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** A store that the commands of a file fill. */
export interface LoadableSource extends SeriesSource {
  clear(): void
  load(command: Load): Promise<void> | void
}

export interface RunOptions {
  /** Evaluations that are known to fail. */
  readonly known: ReadonlyMap<string, string>
  /** Whether each query of one time is also to be the middle of a range. */
  readonly alsoAsRange: boolean
}

/** Runs a file; gives what is wrong. */
export async function run(name: string, source: LoadableSource, { known, alsoAsRange }: RunOptions): Promise<{ problems: string[]; passed: number }> {
  const engine = new Engine(source, LIMITS)
  const problems: string[] = []
  let passed = 0
  for (const command of commandsOf(readFileSync(join(folder, name), 'utf8'))) {
    if (command.kind === 'clear') source.clear()
    else if (command.kind === 'load') await source.load(command)
    else {
      const place = `${name}:${command.line}`
      const difference = await differenceAt(engine, command, alsoAsRange)
      if (difference === undefined && !known.has(place)) passed += 1
      else if (difference === undefined) problems.push(`${place} is right now: take it off the list of expected failures`)
      else if (!known.has(place)) problems.push(`${place} ${command.expression}\n    ${difference}`)
    }
  }
  return { problems, passed }
}
