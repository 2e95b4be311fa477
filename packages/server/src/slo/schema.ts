// Files of objectives: Andon's own, OpenSLO's and Sloth's; and the section `objectives` of andon.yaml.
import { readFileSync } from 'node:fs'
import { AndonError, type Milliseconds, type Objective } from '@andon/model'
import { parseDuration } from '@andon/promql'
import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { filesOf } from '../runtime/file-pattern.ts'
import { readMaintenance, readObjective } from './schema-native.ts'
import { readOpenSlo } from './schema-openslo.ts'
import { readSloth } from './schema-sloth.ts'
import { Source } from './source.ts'

const FILE_MAX = 4 * 1024 * 1024
const OBJECTIVES_MAX = 1000
const HINT = 'docs/reference/objectives.md shows how objectives are written.'
const refuse = (problem: string): AndonError => new AndonError('bad_config', problem, { hint: HINT })

function isSloth(source: Source): boolean {
  const [version, api] = [source.at('version').value, source.at('apiVersion').value]
  return version === 'prometheus/v1' || api === 'sloth.slok.dev/v1'
}

function readNative(source: Source): Objective[] {
  source.only('maintenance', 'objectives')
  const shared = readMaintenance(source.at('maintenance'))
  return source.at('objectives').list().map((each) => readObjective(each, shared))
}

/**
 * Reads the text of a file of objectives, of whichever of the three kinds.
 *
 * @param file - by which errors call it
 * @throws AndonError bad_config naming file, line and path
 */
export function readObjectives(text: string, file: string): Objective[] {
  if (text.length > FILE_MAX) throw refuse(`${file} is longer than ${FILE_MAX / 1024 / 1024} MiB`)
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: true })
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : []
  for (const { errors } of documents) {
    const [problem] = errors
    if (problem !== undefined) throw refuse(`${file}:${problem.linePos?.[0].line ?? 1}: ${problem.message.split('\n')[0] ?? ''}`)
  }
  const sources = documents.map((document) => Source.of(document, file, lines)).filter(({ isAbsent }) => !isAbsent)
  const openSlo = sources.filter((source) => source.at('apiVersion').value === 'openslo/v1')
  const others = sources.filter((source) => !openSlo.includes(source))
  return [...readOpenSlo(openSlo), ...others.flatMap((source) => (isSloth(source) ? readSloth(source) : readNative(source)))]
}

/**
 * Reads files of objectives.
 *
 * @param paths - of files; the last part of each may hold `*`
 * @throws AndonError bad_config, also when a file cannot be read, an id is there twice, or there are more than 1000
 */
export function readObjectiveFiles(paths: readonly string[]): Objective[] {
  const objectives = filesOf(paths, refuse).flatMap((file) => {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      throw refuse(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
    return readObjectives(text, file)
  })
  const ids = new Map<string, string>()
  for (const { id, file } of objectives) {
    const other = ids.get(id)
    if (other !== undefined) throw refuse(`${file}: the objective "${id}" stands twice${other === file ? '' : `, also in ${other}`}`)
    ids.set(id, file)
  }
  if (objectives.length > OBJECTIVES_MAX) throw refuse(`there are ${objectives.length} objectives; ${OBJECTIVES_MAX} are allowed`)
  return objectives
}

/** The section `objectives` of andon.yaml. */
export interface ObjectivesOptions {
  readonly files: readonly string[]
  /** Whether services of which nothing is said get objectives. */
  readonly defaults: boolean
  /** How long after its end a slice is counted first. */
  readonly delayMs: Milliseconds
  /** How far back an objective is counted that is new. */
  readonly backfillMs: Milliseconds
}

export const defaultObjectives: ObjectivesOptions = { files: [], defaults: true, delayMs: 15_000, backfillMs: 7 * 86_400_000 }

function durationAt(path: string, value: unknown, [least, most]: readonly [Milliseconds, Milliseconds], otherwise: Milliseconds): Milliseconds {
  if (value === undefined || value === null) return otherwise
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined || ms < least || ms > most) throw refuse(`${path} must be a duration from ${least / 1000}s to ${most / 86_400_000}d, such as 15s`)
  return ms
}

/**
 * Reads the section `objectives` of andon.yaml.
 *
 * @throws AndonError bad_config with the path of the key
 */
export function readObjectivesOptions(value: unknown): ObjectivesOptions {
  if (value === undefined || value === null) return defaultObjectives
  if (typeof value !== 'object' || Array.isArray(value)) throw refuse('objectives must hold names and values')
  const given = new Map<string, unknown>(Object.entries(value))
  const unknown = [...given.keys()].find((key) => !['files', 'defaults', 'delay', 'backfill'].includes(key))
  if (unknown !== undefined) throw refuse(`objectives.${unknown} is not known; there may be files, defaults, delay, backfill`)
  const [files = [], defaults = true] = [given.get('files'), given.get('defaults')]
  const list: readonly unknown[] = typeof files === 'string' ? [files] : Array.isArray(files) ? files : [undefined]
  if (!list.every((file) => typeof file === 'string' && file !== '')) throw refuse('objectives.files must be a list of paths')
  if (typeof defaults !== 'boolean') throw refuse('objectives.defaults must be true or false')
  return {
    files: list.map(String),
    defaults,
    delayMs: durationAt('objectives.delay', given.get('delay'), [1000, 3_600_000], defaultObjectives.delayMs),
    backfillMs: durationAt('objectives.backfill', given.get('backfill'), [60_000, 90 * 86_400_000], defaultObjectives.backfillMs),
  }
}
