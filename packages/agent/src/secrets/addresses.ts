// Addresses without what looks like a secret. They come from whoever sends a request, so each is passed over once.
import { REDACTED } from './names.ts'

/** Query parameters whose value is not recorded: shorter names than elsewhere mean one there. */
const PARAMETER = /pass|pwd|secret|token|key|sig|auth|code|credential|cookie/i
const MAX_NAME = 128

function isParameter(name: string): boolean {
  const end = name.length > MAX_NAME ? name.slice(-MAX_NAME) : name
  if (!end.includes('%')) return PARAMETER.test(end)
  try {
    return PARAMETER.test(decodeURIComponent(end))
  } catch {
    // Nobody reads such a name; its value may still be what it looks like.
    return true
  }
}

/** Where the first of these characters is, from `at` on; the length of the text where there is none before `limit`. */
export function endAt(text: string, at: number, stops: string, limit: number = text.length): number {
  let end = at
  while (end < limit && !stops.includes(text.charAt(end))) end += 1
  return end
}

const MARKS = '?&#;'
/** What ends an address within a text. */
export const OUTSIDE = ' \t\r\n"\'`<>'

/**
 * Without the values of secret parameters.
 *
 * @param isQuery - whether the text begins with a parameter
 * @param stops - what ends a value
 */
export function redactParameters(text: string, isQuery: boolean, stops: string): string {
  let result = ''
  let copied = 0
  // No name goes back over the sign of another one.
  let from = 0
  for (let equals = text.indexOf('='); equals >= 0; equals = text.indexOf('=', from)) {
    let begin = equals
    while (begin > from && !MARKS.includes(text.charAt(begin - 1))) begin -= 1
    const isName = begin > 0 ? MARKS.includes(text.charAt(begin - 1)) : isQuery
    from = equals + 1
    if (!isName || !isParameter(text.slice(begin, equals))) continue
    from = endAt(text, equals + 1, stops)
    result += text.slice(copied, equals + 1) + REDACTED
    copied = from
  }
  return copied === 0 ? text : result + text.slice(copied)
}

/** How far a password with a slash in it is looked for. */
const MAX_USER = 512

/** Where the user's part of an address ends with its `@`; -1 where it has none. */
function endOfUser(url: string, begin: number, end: number): number {
  const authority = url.slice(begin, end)
  const at = authority.lastIndexOf('@')
  if (at >= 0) return begin + at
  // `user:pa/ss@host`: what follows the colon is no port.
  const port = authority.slice(authority.lastIndexOf(':') + 1)
  if (port === authority || port === '' || /^\d+$/.test(port) || authority.startsWith('[')) return -1
  const further = url.slice(begin, endAt(url, begin, OUTSIDE, Math.min(url.length, begin + MAX_USER))).lastIndexOf('@')
  return further < 0 ? -1 : begin + further
}

/** Without users and passwords of addresses. @param instead - what stands for them; the `@` goes too where it is '' */
export function withoutUser(url: string, instead: string): string {
  let from = url.indexOf('//')
  if (from < 0 || !url.includes('@', from)) return url
  let result = ''
  let copied = 0
  while (from >= 0) {
    const end = endAt(url, from + 2, `/?#${OUTSIDE}`)
    const at = endOfUser(url, from + 2, end)
    if (at >= 0) {
      result += `${url.slice(copied, from + 2)}${instead}`
      copied = instead === '' ? at + 1 : at
    }
    from = url.indexOf('//', Math.max(end, at))
  }
  return result + url.slice(copied)
}

/** An address without its user, password and secret parameters. */
export function redactUrl(url: string): string {
  return withoutUser(redactParameters(url, false, '&#'), '')
}

/** The query of an address, without the mark before it. */
export function redactQuery(query: string): string {
  return redactParameters(query, true, '&#')
}
