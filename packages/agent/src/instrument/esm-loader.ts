// Runs in Node's loader thread, where Node has no hooks in the application's own thread (before 22.15).
import type { LoadFnOutput, LoadHookContext } from 'node:module'
import { type NamesByFile, namesOf, textOf, withHandOver } from './esm-source.ts'

let wanted: NamesByFile = {}

export function initialize(data: NamesByFile): void {
  wanted = data
}

export async function load(url: string, context: LoadHookContext, next: (url: string, context: LoadHookContext) => LoadFnOutput | Promise<LoadFnOutput>): Promise<LoadFnOutput> {
  const result = await next(url, context)
  if (result.format !== 'module') return result
  const names = namesOf(url, wanted)
  const source = names === undefined ? undefined : textOf(result.source)
  return names === undefined || source === undefined ? result : { ...result, source: withHandOver(source, names) }
}
