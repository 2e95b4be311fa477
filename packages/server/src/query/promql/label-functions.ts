import { AndonError, type Labels } from '@andon/model'
import { RE2JS } from 're2js'
import type { GridElement } from './vector.ts'

const LABEL = /^[a-zA-Z_]\w*$/

function checkedLabel(name: string): string {
  if (!LABEL.test(name)) throw new AndonError('query_failed', `"${name}" is not a label's name`)
  return name
}

function withLabel(labels: Labels, name: string, value: string): Labels {
  const { [name]: _, ...rest } = labels
  return value === '' ? rest : { ...rest, [name]: value }
}

/** `$1`, `${1}`, `${name}` and `$$` of a replacement, as Go's Expand has them. */
function expanded(replacement: string, group: (name: string) => string): string {
  return replacement.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => (whole === '$$' ? '$' : group(plain ?? braced ?? '')))
}

/** label_replace(v, target, replacement, source, regex) */
export function labelReplace(elements: readonly GridElement[], [target = '', replacement = '', source = '', regex = '']: readonly string[]): GridElement[] {
  checkedLabel(target)
  let pattern: RE2JS
  try {
    pattern = RE2JS.compile(`^(?s:${regex})$`)
  } catch {
    throw new AndonError('query_failed', `"${regex}" is not an RE2 expression`)
  }
  return elements.map((each) => {
    const matcher = pattern.matcher(each.labels[source] ?? '')
    if (!matcher.find()) return each
    const value = expanded(replacement, (name) => groupOf(matcher, name))
    return { ...each, labels: withLabel(each.labels, target, value) }
  })
}

function groupOf(matcher: ReturnType<RE2JS['matcher']>, name: string): string {
  try {
    return matcher.group(/^\d+$/.test(name) ? Number(name) : name) ?? ''
  } catch {
    // A group that the expression has not is empty, as in Go.
    return ''
  }
}

/** label_join(v, target, separator, source, …) */
export function labelJoin(elements: readonly GridElement[], [target = '', separator = '', ...sources]: readonly string[]): GridElement[] {
  checkedLabel(target)
  return elements.map((each) => ({ ...each, labels: withLabel(each.labels, target, sources.map((name) => each.labels[name] ?? '').join(separator)) }))
}
