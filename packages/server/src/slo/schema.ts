// Files of objectives: Andon's own, OpenSLO's and Sloth's; and the section `objectives` of andon.yaml.
import { readFileSync } from 'node:fs'
import { AndonError, type Milliseconds, type Objective } from '@andon/model'
import { readDocuments } from '../runtime/documents.ts'
import { filesOf } from '../runtime/file-pattern.ts'
import { Reading } from '../runtime/reading.ts'
import { readMaintenance, readObjective } from './schema-native.ts'
import { readOpenSlo } from './schema-openslo.ts'
import { readSloth } from './schema-sloth.ts'

const FILE_MAX = 4 * 1024 * 1024
const OBJECTIVES_MAX = 1000
const HINT = 'docs/reference/objectives.md shows how objectives are written.'
const refuse = (problem: string): AndonError => new AndonError('bad_config', problem, { hint: HINT })

function isSloth(source: Reading): boolean {
  const [version, api] = [source.at('version').value, source.at('apiVersion').value]
  return version === 'prometheus/v1' || api === 'sloth.slok.dev/v1'
}

function readNative(source: Reading): Objective[] {
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
  const sources = readDocuments(text, file, HINT)
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

/**
 * Reads the section `objectives` of andon.yaml.
 *
 * @throws AndonError bad_config with the path of the key
 */
export function readObjectivesOptions(value: unknown): ObjectivesOptions {
  const given = new Reading(value ?? {}, 'objectives', { hint: HINT }).fields(['files', 'defaults', 'delay', 'backfill'])
  return {
    files: given.files.texts(),
    defaults: given.defaults.flag(defaultObjectives.defaults),
    delayMs: given.delay.duration({ least: 1000, most: 3_600_000 }, defaultObjectives.delayMs),
    backfillMs: given.backfill.duration({ least: 60_000, most: 90 * 86_400_000 }, defaultObjectives.backfillMs),
  }
}
