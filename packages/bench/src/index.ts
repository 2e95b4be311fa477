export type { Benchmark, Work } from './case.ts'
export type { MeasureOptions } from './measure-options.ts'
export { machine, reportMarkdown } from './report.ts'
export { type BenchmarkResult, runBenchmark, type RunOptions, type SubjectResult } from './run.ts'
