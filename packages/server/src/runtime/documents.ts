// A file of YAML as readings that know the lines at which their values stand.
import { AndonError } from '@andon/model'
import { type Document, isNode, LineCounter, parseAllDocuments } from 'yaml'
import { Reading, type Steps } from './reading.ts'

const ALIASES_MAX = 100

/** The line of a value, or of the nearest one around it that is written down. */
function lineOf(document: Document, lines: LineCounter, steps: Steps): number {
  for (let length = steps.length; length >= 0; length -= 1) {
    const node: unknown = length === 0 ? document.contents : document.getIn(steps.slice(0, length), true)
    const range = isNode(node) ? node.range : undefined
    if (range !== undefined && range !== null) return lines.linePos(range[0]).line
  }
  return 1
}

/**
 * The documents of a text that are not empty.
 *
 * @param file - by which errors call it
 * @param hint - where a person reads how such files are written
 * @throws AndonError bad_config naming file and line where it is no YAML
 */
export function readDocuments(text: string, file: string, hint: string): Reading[] {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: true })
  const documents: readonly Document[] = Array.isArray(parsed) ? parsed : []
  for (const { errors } of documents) {
    const [problem] = errors
    if (problem !== undefined) throw new AndonError('bad_config', `${file}:${problem.linePos?.[0].line ?? 1}: ${problem.message.split('\n')[0] ?? ''}`, { hint })
  }
  const readingOf = (document: Document): Reading => {
    const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX })
    return new Reading(value, '', { hint, file, placeOf: (steps) => `${file}:${lineOf(document, lines, steps)}: ` })
  }
  return documents.map(readingOf).filter(({ isAbsent }) => !isAbsent)
}
