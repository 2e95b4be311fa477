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

/**
 * Runs files of tests of rules, as `promtool test rules` has them.
 *
 * @returns what to say when all is as expected: a line for each file
 * @throws CommandError problem, with all that is not as expected; or naming the file that cannot be read
 */
export async function testRules(paths: readonly string[]): Promise<string> {
  const { runRuleTests } = await loadServer()
  const lines: string[] = []
  let failed = 0
  for (const path of paths) {
    try {
      const { tests, failures } = await runRuleTests(path)
      failed += failures.length
      lines.push(`${path}: ${failures.length === 0 ? `${tests} expectations, all well` : 'FAILED'}`, ...failures.map((failure) => `  ${failure}`))
    } catch (error) {
      if (error instanceof AndonError) throw new CommandError(EXIT.problem, `${error.message}\n${error.hint}`)
      throw error
    }
  }
  if (failed > 0) throw new CommandError(EXIT.problem, lines.join('\n'))
  return lines.join('\n')
}
