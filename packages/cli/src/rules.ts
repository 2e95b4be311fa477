import { AndonError } from '@andon/model'
import { CommandError, EXIT } from './exit.ts'
import { loadServer } from './server-package.ts'

/**
 * Checks files of rules.
 *
 * @param paths - of files; the last part of each may hold `*`
 * @returns what to say when all is well: a line for each file
 * @throws CommandError problem, naming the file and line that is wrong
 */
export async function checkRules(paths: readonly string[]): Promise<string> {
  const { readRuleFiles } = await loadServer()
  try {
    const counts = new Map<string, { alert: number; record: number }>()
    for (const { file, rules } of readRuleFiles(paths)) {
      const count = counts.get(file) ?? { alert: 0, record: 0 }
      for (const { kind } of rules) count[kind] += 1
      counts.set(file, count)
    }
    if (counts.size === 0) return 'no rules'
    return [...counts].map(([file, { alert, record }]) => `${file}: ${alert} alerting and ${record} recording rules, all well`).join('\n')
  } catch (error) {
    if (error instanceof AndonError) throw new CommandError(EXIT.problem, `${error.message}\n${error.hint}`)
    throw error
  }
}
