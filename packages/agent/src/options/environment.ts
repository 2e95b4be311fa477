// Variables, and how their texts are read. Empty is as good as unset.
// @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
import { existsSync, readFileSync } from 'node:fs'
import { diag } from '@opentelemetry/api'
import type { Milliseconds } from '@andon/model'

export type Environment = Readonly<Record<string, string | undefined>>

const FILE = 'andon.agent.json'
/** Further away a timer of Node would fire at once. */
const MAX_TIMER: Milliseconds = 2 ** 31 - 1

/** The file of variables: the one that is named, or andon.agent.json where it lies in the working folder. */
export function fileOf(env: Environment): string | undefined {
  return text(env, 'ANDON_AGENT_CONFIG') ?? (existsSync(FILE) ? FILE : undefined)
}

/** The variables of a file: one JSON object from their names to texts, numbers or booleans. What is wrong is reported and left out. */
export function readFile(path: string): Environment {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('one object is expected')
    const found: Record<string, string> = {}
    for (const [name, value] of Object.entries(parsed)) {
      if (!/^(?:OTEL|ANDON)_[A-Z_]+$/.test(name)) diag.warn(`andon: ${path}: "${name}" is no variable of the agent; it is left out`)
      else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') found[name] = String(value)
      else diag.warn(`andon: ${path}: ${name} must be a text, a number or a boolean; it is left out`)
    }
    return found
  } catch (error) {
    diag.warn(`andon: ${path} cannot be used and is left out: ${error instanceof Error ? error.message : String(error)}`)
    return {}
  }
}

/** The variables in force: those of the process over those of the file. */
export function environment(env: Environment = process.env): Environment {
  const path = fileOf(env)
  return path === undefined ? env : { ...readFile(path), ...env }
}

/** A variable's text; undefined when it is unset or empty. */
export function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim()
  return value === '' ? undefined : value
}

export function list(value: string): readonly string[] {
  return value.split(',').map((name) => name.trim())
}

/** `a=1,b=2%20` as OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS are written. */
export function pairs(value: string | undefined): Record<string, string> {
  const found = new Map<string, string>()
  for (const part of (value ?? '').split(',')) {
    const at = part.indexOf('=')
    if (at > 0) found.set(decoded(part.slice(0, at).trim()), decoded(part.slice(at + 1).trim()))
  }
  return Object.fromEntries(found)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

export function positive(env: Environment, name: string, otherwise: number): number {
  const given = text(env, name)
  if (given === undefined) return otherwise
  const value = Number(given)
  if (Number.isFinite(value) && value > 0) return value
  diag.warn(`andon: ${name} must be a number greater than 0, not "${given}"; ${otherwise} is used`)
  return otherwise
}

/** A whole number, 0 included. */
export function whole(env: Environment, name: string, otherwise: number): number {
  const given = text(env, name)
  if (given === undefined) return otherwise
  if (/^\d{1,15}$/.test(given)) return Number(given)
  diag.warn(`andon: ${name} must be a whole number, not "${given}"; ${otherwise === Infinity ? 'no limit' : otherwise} is used`)
  return otherwise
}

export function milliseconds(env: Environment, name: string, otherwise: Milliseconds): Milliseconds {
  return Math.min(MAX_TIMER, positive(env, name, otherwise))
}
