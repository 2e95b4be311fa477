// What values of options may be: each turns what was written into a value, or throws a text that completes "must be …".
import { readFileSync } from 'node:fs'
import { AndonError, type Labels } from '@andon/model'
import { hashToken, type Role, ROLES, type Token } from './api/guard.ts'
import { readJobs, type ScrapeJob } from './ingest/scrape/jobs.ts'

export class Unfit extends Error {}

export const wholeNumber =
  (min: number, max: number) =>
  (value: unknown): number => {
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < min || number > max) throw new Unfit(`a whole number from ${min} to ${max}`)
    return number
  }

export const grpcPort = (value: unknown): number | 'auto' | 'off' => (value === 'auto' || value === 'off' ? value : wholeNumber(0, 65_535)(value))

export const someText = (value: unknown): string => {
  if (typeof value !== 'string' || value.trim() === '') throw new Unfit('a text')
  return value
}

/** Of a database or a cluster: it becomes part of statements. */
export const identifier =
  (pattern: RegExp, what: string) =>
  (value: unknown): string => {
    if (typeof value !== 'string' || !pattern.test(value)) throw new Unfit(what)
    return value
  }

/** Without a user or password, because addresses are shown and logged. */
export function serverUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined
  const isPlain = url !== undefined && url.username === '' && url.password === '' && url.pathname === '/' && url.search === '' && url.hash === ''
  if (url === undefined || !isPlain || !['http:', 'https:'].includes(url.protocol)) throw new Unfit('http://HOST:PORT or https://HOST:PORT; user, password and database have options of their own')
  return url.origin
}

export const word =
  <T extends string>(...words: readonly T[]) =>
  (value: unknown): T => {
    const found = words.find((one) => one === value)
    if (found === undefined) throw new Unfit(`one of ${words.join(', ')}`)
    return found
  }

export function someTexts(value: unknown): string[] {
  const list: readonly unknown[] = typeof value === 'string' ? value.split(',').map((one) => one.trim()) : Array.isArray(value) ? value : [undefined]
  return list.map((one) => {
    if (typeof one !== 'string' || one === '') throw new Unfit('a list of texts')
    return one
  })
}

/** Long enough that it cannot be guessed. */
const TOKEN_LENGTH_MIN = 16

/** The hash of a token that stands in a file. */
export function tokenFromFile(file: string): string {
  return tokenFromText(fileOf('token', file).toString('utf8').trim(), `The token in ${file}`)
}

function fileOf(what: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new AndonError('bad_config', `The ${what} file ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** A password that stands in a file. */
export function passwordFromFile(value: unknown): string {
  return fileOf('password', someText(value)).toString('utf8').replace(/\r?\n$/, '')
}

/** Certificates in PEM that stand in a file. */
export function certificates(value: unknown): Buffer {
  const file = someText(value)
  const pem = fileOf('certificate', file)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new AndonError('bad_config', `The certificate file ${file} holds no certificate in PEM.`)
  return pem
}

export function tokenFromText(text: string, what: string): string {
  if (text.length < TOKEN_LENGTH_MIN) throw new AndonError('bad_config', `${what} is shorter than ${TOKEN_LENGTH_MIN} characters.`, { hint: 'Make one with: openssl rand -hex 32' })
  return hashToken(text)
}

function readToken(value: unknown): Token {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  const fields = new Map<string, unknown>(entries)
  const unknown = entries.find(([key]) => !['name', 'role', 'sha256', 'file'].includes(key))
  const name = fields.get('name')
  const role: Role | undefined = ROLES.find((one) => one === fields.get('role'))
  const sha256 = fields.get('sha256')
  const file = fields.get('file')
  if (unknown !== undefined || typeof name !== 'string' || name === '' || role === undefined || (sha256 === undefined) === (file === undefined)) {
    throw new Unfit(`a list of {name, role: ${ROLES.join(' | ')}, sha256: 64 hex digits, or file: path}`)
  }
  if (file !== undefined) return { name, role, sha256: tokenFromFile(someText(file)) }
  if (typeof sha256 !== 'string' || !/^[\da-f]{64}$/.test(sha256)) throw new Unfit('given with sha256 as 64 lower-case hex digits')
  return { name, role, sha256 }
}

export function readTokens(value: unknown): Token[] {
  if (!Array.isArray(value)) throw new Unfit('a list')
  const tokens = value.map(readToken)
  const twice = tokens.find((one, index) => tokens.findIndex((other) => other.name === one.name) !== index)
  if (twice !== undefined) throw new Unfit(`a list without the name "${twice.name}" twice`)
  return tokens
}

export function readScrape(value: unknown): ScrapeJob[] {
  return readJobs(value, (problem) => {
    throw new Unfit(problem)
  })
}

export function someLabels(value: unknown): Labels {
  const entries: [string, unknown][] = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
  if (entries.length === 0 && !(typeof value === 'object' && value !== null)) throw new Unfit('given as NAME: TEXT')
  return Object.fromEntries(
    entries.map(([name, text]) => {
      if (!/^[a-zA-Z_]\w*$/.test(name) || typeof text !== 'string') throw new Unfit('given as NAME: TEXT')
      return [name, text]
    }),
  )
}

export function someUrl(value: unknown): string {
  const text = someText(value)
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new Unfit('an address that begins with http:// or https://')
  return text.replace(/\/+$/, '')
}

/** What is read with another section. */
export const asGiven = (value: unknown): unknown => value
