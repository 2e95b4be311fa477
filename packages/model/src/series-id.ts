import { type Labels, labelsKey } from './labels.ts'
import { xxHash64 } from './xxhash64.ts'

/**
 * The id of a series: xxHash64 of its `labelsKey`. It never becomes a JavaScript number, which would lose digits.
 *
 * @param labels - all labels with `__name__`
 * @returns an unsigned 64-bit integer, equal to the database's `xxHash64` of the same text
 */
export function seriesId(labels: Labels): bigint {
  return xxHash64(labelsKey(labels))
}
