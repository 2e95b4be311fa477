// Which copy of which package a file belongs to.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, sep } from 'node:path'
import { getText } from './wrap.ts'

const FOLDER = `${sep}node_modules${sep}`

/** A package in a folder of its own; a tree may hold many of one name. */
export interface Copy {
  readonly name: string
  /** As its package.json says; 0.0.0 where it says none. */
  readonly version: string
  readonly directory: string
  /** The absolute path that `require(name)` gives; empty where there is none. */
  readonly main: string
}

/** @returns name and folder of the innermost package of a file, as `name` is written by who imports it; undefined outside node_modules */
export function locate(path: string): { readonly name: string; readonly directory: string } | undefined {
  const at = path.lastIndexOf(FOLDER)
  if (at < 0) return undefined
  const start = at + FOLDER.length
  let end = path.indexOf(sep, start)
  if (path.charCodeAt(start) === 64 && end > 0) end = path.indexOf(sep, end + 1)
  if (end < 0) return undefined
  const name = path.slice(start, end)
  return { name: sep === '/' ? name : name.replaceAll(sep, '/'), directory: path.slice(0, end) }
}

function readManifest(directory: string): unknown {
  try {
    return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  } catch {
    return undefined
  }
}

function mainOf(directory: string, wanted: string): string {
  try {
    return createRequire(join(directory, 'package.json')).resolve(wanted)
  } catch {
    // It has no entry for CommonJS.
    return ''
  }
}

const MAX_NAMES = 1000
const names = new Map<string, string>()

/** What a package calls itself, read once; in a folder of another name where it was installed under an alias. */
export function ownName(directory: string): string | undefined {
  let name = names.get(directory)
  if (name === undefined) {
    name = getText(readManifest(directory), 'name') ?? ''
    if (names.size < MAX_NAMES) names.set(directory, name)
  }
  return name === '' ? undefined : name
}

const MAX_COPIES = 1000
const copies = new Map<string, Copy>()

/** The copy in a folder, read once. */
export function readCopy(name: string, directory: string): Copy {
  let copy = copies.get(directory)
  if (copy === undefined) {
    // By its folder where that has another name: the name would lead to another copy.
    const wanted = locate(join(directory, 'x'))?.name === name ? name : directory
    copy = { name, version: getText(readManifest(directory), 'version') ?? '0.0.0', directory, main: mainOf(directory, wanted) }
    if (copies.size < MAX_COPIES) copies.set(directory, copy)
  }
  return copy
}

/** The path of a file within its copy, with forward slashes: `lib/router/index.js`. */
export function innerPath({ directory }: Pick<Copy, 'directory'>, path: string): string {
  const inner = path.slice(directory.length + 1)
  return sep === '/' ? inner : inner.replaceAll(sep, '/')
}
