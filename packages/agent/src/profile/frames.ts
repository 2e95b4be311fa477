// Stacks of the native sampler as frames of the source that was written.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ProfileFrame } from '@andon/model'
import type { NativeProfile } from './native.ts'

/** Files whose maps are kept; past it all are forgotten and read again when they are met. */
const MAPS_MAX = 500
/** A larger map would hold up the thread for more than a tenth of a second while it is read; its frames stay as they ran. */
const MAP_BYTES_MAX = 2 * 1024 * 1024
/** The reference to a map stands in the last line. */
const TAIL_BYTES = 4096

interface Location {
  file: string
  name?: string
  line?: number
  column?: number
}

interface OpenMap {
  readonly map: SourceMap
  readonly folder: string
}

function tailOf(file: string): string {
  const descriptor = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(TAIL_BYTES)
    const { size } = fstatSync(descriptor)
    const length = readSync(descriptor, buffer, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES))
    return buffer.toString('utf8', 0, length)
  } finally {
    closeSync(descriptor)
  }
}

function readMap(file: string): OpenMap | undefined {
  try {
    const reference = /\/\/[#@] sourceMappingURL=(\S+)\s*$/.exec(tailOf(file))?.[1]
    if (reference === undefined || reference.startsWith('data:') || /^https?:/.test(reference)) return undefined
    const path = reference.startsWith('file:') ? fileURLToPath(reference) : resolve(dirname(file), decodeURIComponent(reference))
    const text = readFileSync(path, 'utf8')
    return text.length > MAP_BYTES_MAX ? undefined : { map: new SourceMap(JSON.parse(text)), folder: dirname(path) }
  } catch {
    // No file, no map, or none that can be read: the frame stays as it ran.
    return undefined
  }
}

/** Finds where compiled code was written. Maps are read from files beside the code, once, when a profile first meets them. */
export class SourceMaps {
  readonly #maps = new Map<string, OpenMap | undefined>()

  /** @param location - lines and columns from 1; it is given back as it is where there is no map */
  map<L extends Location>(location: L): L {
    const { file, line, column } = location
    if (line === undefined || !file.startsWith('/') || file.includes('/node_modules/')) return location
    if (!this.#maps.has(file)) {
      if (this.#maps.size >= MAPS_MAX) this.#maps.clear()
      this.#maps.set(file, readMap(file))
    }
    const open = this.#maps.get(file)
    if (open === undefined) return location
    const entry = open.map.findEntry(line - 1, Math.max(0, (column ?? 1) - 1))
    if (!('originalSource' in entry)) return location
    const { originalSource, originalLine, originalColumn } = entry
    const source = originalSource.startsWith('file:') ? fileURLToPath(originalSource) : resolve(open.folder, originalSource)
    return { ...location, file: source, line: originalLine + 1, column: originalColumn + 1 }
  }
}

/** A stack of the native sampler with what stands beside it. */
export interface NativeSample {
  readonly stack: readonly ProfileFrame[]
  readonly values: readonly number[]
  /** The number that was given as label `i`; -1 without one. */
  readonly index: number
}

/** Time in a regular expression is a leaf without a file, which tells nothing by itself: it is its caller's. */
export function withoutRegExp(stack: readonly ProfileFrame[]): readonly ProfileFrame[] {
  const [leaf] = stack
  return stack.length > 1 && leaf?.file === '' && leaf.name.startsWith('RegExp: ') ? stack.slice(1) : stack
}

/** The native part writes line and column into names it does not have; the frame holds its line anyway. */
function nameOf(name: string): string {
  return name.startsWith('(anonymous:L#') ? '(anonymous)' : name
}

/** Samples of a native profile; equal frames and stacks are one object each. */
export function readSamples(profile: NativeProfile): NativeSample[] {
  const { strings } = profile.stringTable
  const functions = new Map(profile.function.map((each) => [each.id, each]))
  const frames = new Map<number | bigint, ProfileFrame>()
  for (const { id, line } of profile.location) {
    const [first] = line
    const of = first === undefined ? undefined : functions.get(first.functionId)
    frames.set(id, { name: nameOf(strings[Number(of?.name ?? 0)] ?? ''), file: strings[Number(of?.filename ?? 0)] ?? '', line: Number(first?.line ?? 0) })
  }
  const stacks = new Map<string, readonly ProfileFrame[]>()
  const label = strings.indexOf('i')
  return profile.sample.map(({ locationId, value, label: labels }) => {
    const key = locationId.join()
    let stack = stacks.get(key)
    if (stack === undefined) {
      stack = withoutRegExp(locationId.flatMap((id) => frames.get(id) ?? []))
      stacks.set(key, stack)
    }
    return { stack, values: value.map(Number), index: Number(labels.find((each) => Number(each.key) === label)?.num ?? -1) }
  })
}
