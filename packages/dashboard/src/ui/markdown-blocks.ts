// Markdown as runbooks and post-mortems are written, as data. What it does not know stays text; HTML is text too.

/** A piece of a line. */
export type Inline =
  | { readonly kind: 'text' | 'code' | 'strong' | 'emphasis'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }

export interface ListItem {
  readonly line: readonly Inline[]
  /** Of a task: whether it is ticked; null for an item that is none. */
  readonly ticked: boolean | null
  /** Levels of indentation, from 0. */
  readonly depth: number
}

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly line: readonly Inline[] }
  | { readonly kind: 'paragraph' | 'quote'; readonly line: readonly Inline[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly ListItem[] }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly (readonly Inline[])[]; readonly rows: readonly (readonly (readonly Inline[])[])[] }
  | { readonly kind: 'rule' }

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|(?<![\w*])[*_]([^*_]+)[*_](?![\w*])|\[([^\]]*)\]\(([^()\s]+)\)|(https?:\/\/[^\s<>()]*[^\s<>().,;:!?'"])/g

/** Where a link may lead: the web, a mail, or this server. */
function safeHref(href: string): string | null {
  return /^(?:https?:\/\/|mailto:|\/(?!\/)|#)/i.test(href) ? href : null
}

function linkOf(text: string, href: string): Inline {
  const safe = safeHref(href)
  return safe === null ? { kind: 'text', text: `${text} (${href})` } : { kind: 'link', text, href: safe }
}

function inlineOf(match: RegExpExecArray): Inline {
  const [whole, code, strong, emphasis, text, href, bare] = match
  if (code !== undefined) return { kind: 'code', text: code }
  if (strong !== undefined) return { kind: 'strong', text: strong }
  if (emphasis !== undefined) return { kind: 'emphasis', text: emphasis }
  if (bare !== undefined) return { kind: 'link', text: bare, href: bare }
  return text === undefined || href === undefined ? { kind: 'text', text: whole } : linkOf(text, href)
}

/** The pieces of a line. */
export function inlines(line: string): Inline[] {
  const found: Inline[] = []
  let at = 0
  for (const match of line.matchAll(INLINE)) {
    if (match.index > at) found.push({ kind: 'text', text: line.slice(at, match.index) })
    found.push(inlineOf(match))
    at = match.index + match[0].length
  }
  if (at < line.length) found.push({ kind: 'text', text: line.slice(at) })
  return found
}

const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/
const isBreak = (line: string): boolean => line.trim() === '' || /^(?:#{1,6}\s|```|>|\s*[-*+]\s|\s*\d+[.)]\s|\|)/.test(line)
const cells = (line: string): string[] => line.trim().replaceAll(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'))

class Reader {
  readonly #lines: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#lines = text.replaceAll('\r\n', '\n').split('\n')
  }

  *blocks(): Generator<Block> {
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at] ?? ''
      if (line.trim() === '') this.#at += 1
      else yield this.#block(line)
    }
  }

  #block(line: string): Block {
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line)
    if (heading !== null) return this.#one({ kind: 'heading', level: heading[1]?.length ?? 1, line: inlines(heading[2] ?? '') })
    if (line.startsWith('```')) return this.#code(line.slice(3).trim())
    if (/^(?:-{3,}|\*{3,}|_{3,})\s*$/.test(line)) return this.#one({ kind: 'rule' })
    if (line.startsWith('|') && /^\s*\|?[\s:|-]+\|?\s*$/.test(this.#lines[this.#at + 1] ?? '')) return this.#table(line)
    if (ITEM.test(line)) return this.#list(line)
    if (line.startsWith('>')) return { kind: 'quote', line: inlines(this.#while((one) => one.startsWith('>')).map((one) => one.replace(/^>\s?/, '')).join(' ')) }
    this.#at += 1
    return { kind: 'paragraph', line: inlines([line, ...this.#while((one) => !isBreak(one))].map((one) => one.trim()).join(' ')) }
  }

  #one(block: Block): Block {
    this.#at += 1
    return block
  }

  #while(holds: (line: string) => boolean): string[] {
    const taken: string[] = []
    for (let line = this.#lines[this.#at]; line !== undefined && holds(line); line = this.#lines[this.#at]) {
      taken.push(line)
      this.#at += 1
    }
    return taken
  }

  #code(language: string): Block {
    this.#at += 1
    const text = this.#while((line) => !line.startsWith('```')).join('\n')
    this.#at += 1
    return { kind: 'code', language, text }
  }

  #table(head: string): Block {
    this.#at += 2
    const rows = this.#while((line) => line.startsWith('|'))
    return { kind: 'table', head: cells(head).map(inlines), rows: rows.map((row) => cells(row).map(inlines)) }
  }

  #list(first: string): Block {
    const lines = this.#while((line) => ITEM.test(line) || (line.startsWith('  ') && line.trim() !== ''))
    const items: { depth: number; ticked: boolean | null; text: string }[] = []
    for (const line of lines) {
      const [, indent = '', , tick, text = ''] = ITEM.exec(line) ?? []
      const last = items.at(-1)
      if (ITEM.test(line)) items.push({ depth: Math.min(3, Math.floor(indent.length / 2)), ticked: tick === undefined ? null : tick !== ' ', text })
      else if (last !== undefined) last.text += ` ${line.trim()}`
    }
    return { kind: 'list', ordered: /^\s*\d/.test(first), items: items.map(({ depth, ticked, text }) => ({ depth, ticked, line: inlines(text) })) }
  }
}

/** A text of Markdown as blocks; a front matter between lines of `---` is left out. */
export function markdownBlocks(text: string): Block[] {
  return [...new Reader(text.replace(/^---\n[\s\S]*?\n---\n/, '')).blocks()]
}
