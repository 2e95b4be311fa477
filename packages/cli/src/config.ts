import { describeOptions } from '@andon/agent'
import { table } from './table.ts'

/** The options with which an agent would start here, each with where it comes from. What may be secret is masked. */
export function printConfig(asJson: boolean): string {
  const options = describeOptions()
  if (asJson) return JSON.stringify(options, null, 2)
  return table(
    ['option', 'value', 'from'],
    options.map(({ name, value, source }) => [name, value, source]),
  )
}
