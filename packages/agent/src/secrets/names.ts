// Names under which secrets stand.

/** Names whose values are secrets. */
const SECRET = /pass(?:word|wd|phrase)?$|passw|pwd$|secret|token|authorization|cookie|api[-_.]?key|access[-_.]?key|private[-_.]?key|credential/i

/** Whether a value under this name is not to be recorded. @param name - at most 256 characters of it are looked at */
export function isSecretName(name: string): boolean {
  return SECRET.test(name.length > 256 ? name.slice(-256) : name)
}

/** What stands for a secret. */
export const REDACTED = '[redacted]'
