// What looks like a secret, taken out of text that was written for people: messages and stacks of errors.
//
// Texts come from whoever sends a request, so nothing here may take more than linear time: names are looked for at their
// separators, going back a bounded way, and values are passed over once. The expressions begin with a fixed text and have
// bounded repeats.
import { endAt, OUTSIDE, redactParameters, withoutUser } from './addresses.ts'
import { isSecretName, REDACTED } from './names.ts'

/** Of a name that is looked at. */
const MAX_NAME = 128

/** Kinds of secrets that show by themselves what they are. */
const TOKENS =
  /\beyJ[\w-]{8,512}\.[\w-]{8,8192}(?:\.[\w-]{0,4096})?|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,255}|\bgithub_pat_\w{20,255}|\bxox[abeprs]-[\w-]{10,255}|\b[rs]k_(?:live|test)_\w{10,255}|\bglpat-[\w-]{20,255}|-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[\w\s+/=-]{0,16384}/g
/** `Bearer …` and `Basic …` before what is no word of a sentence. */
const SCHEME = /\b([Bb]earer|BEARER|[Bb]asic|BASIC)([ \t]{1,4})(?=[a-z_-]{0,256}[A-Z0-9.=+/~])[\w.~+/=-]{6,8192}/g

/** Values that databases repeat in their messages. */
const DATABASE: readonly (readonly [RegExp, string])[] = [
  // PostgreSQL: Key (email)=(a@b.c) already exists.
  [/(\bKey \([^()\n]{1,512}\)=\()[^\n]{0,2048}?(\) (?:already exists|is not present|is still referenced|conflicts with)|\)\.?$)/gm, `$1${REDACTED}$2`],
  [/(\bFailing row contains \()[^\n]{0,8192}/g, `$1${REDACTED}).`],
  [/(\b(?:invalid input (?:syntax for|value for)|invalid value for|malformed) [^:\n]{1,128}: )"[^\n]{0,8192}"/g, `$1"${REDACTED}"`],
  // MySQL
  [/(\bDuplicate entry )'[^\n]{0,4096}?'( for key)/g, `$1'${REDACTED}'$2`],
  [/(\b(?:Incorrect|Truncated incorrect) [^:\n]{1,64} value: )'[^\n]{0,4096}?'/g, `$1'${REDACTED}'`],
]

const STATEMENT = /\b(?:insert\s{1,8}into|delete\s{1,8}from|update\s{1,8}[\w."`[\]]{1,128}\s{1,8}set|merge\s{1,8}into|values\s{0,8}\(|where\s{1,8}[\w."`[\]]{1,128}\s{0,8}(?:[=<>]|in\b|like\b))/i

/** What may stand in a name before a separator. */
function isNamePart(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code === 45 || code === 46 || code === 36
}

/** The name before a separator, without quotes and blanks; '' where there is none. */
function nameBefore(text: string, separator: number, from: number): string {
  let end = separator
  for (let passed = 0; end > from && passed < 8 && ' \t"\'`\\]'.includes(text.charAt(end - 1)); passed += 1) end -= 1
  let begin = end
  while (begin > from && end - begin < MAX_NAME && isNamePart(text.charCodeAt(begin - 1))) begin -= 1
  return text.slice(begin, end)
}

const PAIRS: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')' }
/** Says that there is no secret, which helps whoever reads it. */
const NO_VALUE = /^(?:undefined|null|true|false|none|missing|required)$/i

function isSecret(name: string, value: string): boolean {
  if (value === '' || NO_VALUE.test(value)) return false
  // A number of tokens is none.
  return !(/tokens$/i.test(name) && /^\d+$/.test(value))
}

/** Where a value in quotes ends, also one whose quotes are escaped themselves, as in JSON within JSON. */
function endOfQuoted(text: string, at: number, quote: string): number {
  let end = text.indexOf(quote, at)
  if (quote.length > 1) return end < 0 ? text.length : end
  while (end > 0) {
    let slashes = 0
    while (text.charAt(end - 1 - slashes) === '\\' && end - 1 - slashes >= at) slashes += 1
    if (slashes % 2 === 0) return end
    end = text.indexOf(quote, end + 1)
  }
  return text.length
}

/** Where a list or an object ends. */
function endOfNested(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index += 1) {
    const char = text.charAt(index)
    if (char in PAIRS) depth += 1
    else if (char === ']' || char === '}' || char === ')') depth -= 1
    if (depth === 0) return index + 1
  }
  return text.length
}

/** The value after a separator: where it begins and ends, without its quotes. */
function valueAfter(text: string, separator: number, name: string): readonly [number, number] {
  let begin = separator
  while (begin < text.length && begin - separator < 8 && ' \t'.includes(text.charAt(begin))) begin += 1
  const quote = /^\\?["'`]/.exec(text.slice(begin, begin + 2))?.[0]
  if (quote !== undefined) return [begin + quote.length, endOfQuoted(text, begin + quote.length, quote)]
  if (text.charAt(begin) in PAIRS) return [begin, endOfNested(text, begin)]
  // A header's value goes to the end of its line.
  if (/authorization|cookie/i.test(name)) return [begin, endAt(text, begin, '\r\n"\'`')]
  return [begin, endAt(text, begin, ' \t\r\n,;&)}]>"\'`\\')]
}

/** `name=value`, `name: value` and `name => value`, with and without quotes. */
function redactPairs(text: string): string {
  let result = ''
  let copied = 0
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char !== '=' && char !== ':') continue
    const name = nameBefore(text, at, copied)
    // `token.ts:12` is a place in a file.
    if (name === '' || !isSecretName(name) || /\.[cm]?[jt]sx?$/.test(name)) continue
    const [begin, end] = valueAfter(text, text.charAt(at + 1) === '>' ? at + 2 : at + 1, name)
    if (isSecret(name, text.slice(begin, end))) {
      result += text.slice(copied, begin) + REDACTED
      copied = end
    }
    at = Math.max(at, end - 1)
  }
  return copied === 0 ? text : result + text.slice(copied)
}

/** Literals of a statement. A quote that is not closed takes the rest. */
function redactLiterals(text: string): string {
  if (!STATEMENT.test(text)) return text
  let result = ''
  let copied = 0
  for (let open = text.indexOf("'"); open >= 0; open = text.indexOf("'", copied)) {
    const close = text.indexOf("'", open + 1)
    const end = close < 0 ? text.length : close + 1
    // A value that was taken out before stays known as that.
    result += text.slice(open, end) === `'${REDACTED}'` ? text.slice(copied, end) : `${text.slice(copied, open)}'?'`
    copied = end
  }
  return result + text.slice(copied)
}

function redactOnce(text: string): string {
  let safe = redactLiterals(text)
  for (const [pattern, instead] of DATABASE) safe = safe.replace(pattern, instead)
  safe = safe.replace(TOKENS, REDACTED).replace(SCHEME, `$1$2${REDACTED}`)
  safe = redactPairs(withoutUser(safe, REDACTED))
  return redactParameters(safe, false, `&#)${OUTSIDE}`)
}

/** What is taken out may bring a second secret into view, such as an address whose password looked like its host. */
function redactPlain(text: string): string {
  const once = redactOnce(text)
  return once === text ? text : redactOnce(once)
}

/** A line of a stack, which has names of functions and files but no values. */
const FRAME = /^ {0,16}at [^\n]{1,2048}(?::\d{1,9}:\d{1,9}\)?|\(native\)|<anonymous>\)?)$/

/** What is looked through and recorded of one text, in characters. */
const MAX_TEXT = 32 * 1024

/**
 * Text for people, such as the message or the stack of an error, without what looks like a secret: values under secret
 * names, users in addresses, tokens, and values that databases repeat. Cut at 32 Ki characters.
 *
 * @example redactText('login of a@b.c failed: password="x y"') // 'login of a@b.c failed: password="[redacted]"'
 */
export function redactText(text: string): string {
  const cut = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text
  if (!cut.includes('\n    at ')) return redactPlain(cut)
  // Frames are left as they are: `token.js:12:5` is no secret. What stands between them is looked through as a whole.
  const parts: string[] = []
  let plain: string[] = []
  const close = (): void => {
    if (plain.length > 0) parts.push(redactPlain(plain.join('\n')))
    plain = []
  }
  for (const line of cut.split('\n')) {
    if (!FRAME.test(line)) {
      plain.push(line)
      continue
    }
    close()
    parts.push(line)
  }
  close()
  return parts.join('\n')
}
