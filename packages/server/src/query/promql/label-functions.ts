import { AndonError, type Labels } from '@andon/model'
import type { RE2JS } from 're2js'
import { anchored } from './re2.ts'
import type { GridElement } from './vector.ts'

/** Any text is a label's name, as long as it is one: not empty, and UTF-8. */
function checkedLabel(name: string, where: string): string {
  if (name === '' || /\p{Surrogate}/u.test(name)) throw new AndonError('query_failed', `invalid ${where} label name: ${JSON.stringify(name)}`)
  return name
}

function withLabel(each: GridElement, name: string, value: string): GridElement {
  const { [name]: _, ...rest } = each.labels
  const labels: Labels = value === '' ? rest : { ...rest, [name]: value }
  // A name that is given anew stays.
  return { ...each, labels, dropName: name === '__name__' ? false : each.dropName }
}

/** `$1`, `${1}`, `${name}` and `$$` of a replacement, as Go's Expand has them. */
function expanded(replacement: string, group: (name: string) => string): string {
  return replacement.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => (whole === '$$' ? '$' : group(plain ?? braced ?? '')))
}

/**
 * label_replace(v, target, replacement, source, regex). The expression runs in time linear in the text, whatever it is.
 *
 * @throws AndonError query_failed when the target is no label or the expression is not one of RE2
 */
export function labelReplace(elements: readonly GridElement[], [target = '', replacement = '', source = '', regex = '']: readonly string[]): GridElement[] {
  checkedLabel(target, 'destination')
  const pattern = anchored(regex, 'label_replace()')
  return elements.map((each) => {
    const matcher = pattern.matcher(each.labels[source] ?? '')
    if (!matcher.find()) return each
    return withLabel(each, target, expanded(replacement, (name) => groupOf(matcher, name)))
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

/** label_join(v, target, separator, source, …) @throws AndonError query_failed when a label has no name */
export function labelJoin(elements: readonly GridElement[], [target = '', separator = '', ...sources]: readonly string[]): GridElement[] {
  checkedLabel(target, 'destination')
  for (const source of sources) checkedLabel(source, 'source')
  return elements.map((each) => withLabel(each, target, sources.map((name) => each.labels[name] ?? '').join(separator)))
}

