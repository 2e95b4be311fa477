import { cpus, totalmem } from 'node:os'
import { mad, median } from '@andon/model'
import type { BenchmarkResult, SubjectResult } from './run.ts'

const digits: Intl.NumberFormat = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })

/** The machine and Node version, in one line. */
export function machine(): string {
  const all = cpus()
  return `${all.length} × ${all[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`
}

function row(result: SubjectResult, perIteration: number): string {
  const each = median(result.cpuNs) / perIteration
  const spread = (mad(result.cpuNs) / median(result.cpuNs)) * 100
  const ratio = result.ratio === undefined ? '1' : `${digits.format(result.ratio.median)} (${digits.format(result.ratio.low)} to ${digits.format(result.ratio.high)})`
  const bytes = digits.format(Math.round((result.allocatedBytes / perIteration) * 10) / 10)
  return `| ${result.subject} | ${digits.format(each)} | ± ${digits.format(spread)} % | ${digits.format(1e9 / each)} | ${bytes} | ${ratio} |`
}

/**
 * One benchmark's result as Markdown: per subject the CPU time of one unit, its spread, the rate of one core, the
 * heap it takes, and its cost against ours with the 99 % interval.
 */
export function reportMarkdown(result: BenchmarkResult): string {
  const { pairs, samples, milliseconds } = result.options
  return [
    `### ${result.title}`,
    '',
    `| subject | CPU ns per unit (median) | spread (MAD) | ${result.unit} per second and core | bytes of heap per unit | cost against ours (99 % interval) |`,
    '|---|---|---|---|---|---|',
    ...result.subjects.map((subject) => row(subject, result.perIteration)),
    '',
    `${pairs} pairs of fresh processes, ${samples} samples of ${milliseconds} ms each, in turn; CPU time. ${machine()}.`,
    '',
  ].join('\n')
}
