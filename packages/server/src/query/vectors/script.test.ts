// Files of Prometheus' own test suite (*.test) as commands.
import { type Load, milliseconds, seriesLine } from '../memory/notation.ts'

export interface Expectation {
  /** `fail`, `warn`, `no_warn`, `info`, `no_info`, `ordered`, `string`, `range vector` */
  readonly kind: string
  readonly message?: string
  readonly pattern?: string
  readonly text?: string
}

export interface Evaluation {
  readonly kind: 'eval'
  readonly line: number
  readonly expression: string
  readonly start: number
  readonly end: number
  /** Undefined for a query of one time. */
  readonly step: number | undefined
  readonly expectations: readonly Expectation[]
  readonly lines: readonly string[]
}

export type Command = Load | Evaluation | { readonly kind: 'clear' }

function expectation(line: string): Expectation {
  const [, kind = '', rest = ''] = /^expect\s+(range vector|\S+)\s*(.*)$/s.exec(line) ?? []
  const [, how, what = ''] = /^(msg|regex):\s*(.*)$/s.exec(rest) ?? []
  if (how === 'msg') return { kind, message: what }
  return how === 'regex' ? { kind, pattern: what } : { kind, text: rest }
}

const LEGACY: Readonly<Record<string, string>> = { eval_fail: 'fail', eval_warn: 'warn', eval_info: 'info', eval_ordered: 'ordered' }

function evaluation(line: string, number: number, block: readonly string[]): Evaluation {
  const [, word = '', rest = ''] = /^(eval(?:_\w+)?)\s+(.*)$/s.exec(line) ?? []
  const instant = /^instant\s+at\s+(\S+)\s+(.*)$/s.exec(rest)
  const range = /^range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.*)$/s.exec(rest)
  const expectations = block.filter((each) => each.startsWith('expect ')).map(expectation)
  const legacy = LEGACY[word]
  if (legacy !== undefined) expectations.push({ kind: legacy })
  const lines = block.filter((each) => !each.startsWith('expect ') && !each.startsWith('expected_fail'))
  if (instant !== null) {
    const at = milliseconds(instant[1] ?? '')
    return { kind: 'eval', line: number, expression: instant[2] ?? '', start: at, end: at, step: undefined, expectations, lines }
  }
  if (range === null) throw new Error(`line ${number}: not an evaluation: ${line}`)
  return { kind: 'eval', line: number, expression: range[4] ?? '', start: milliseconds(range[1] ?? ''), end: milliseconds(range[2] ?? ''), step: milliseconds(range[3] ?? ''), expectations, lines }
}

/** The commands of a file in their order. */
export function commandsOf(text: string): Command[] {
  const lines = text.split('\n')
  const commands: Command[] = []
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trim()
    const number = index + 1
    if (line === '' || line.startsWith('#')) continue
    const block: string[] = []
    while ((lines[index + 1] ?? '').trim() !== '') {
      index += 1
      const next = (lines[index] ?? '').trim()
      if (!next.startsWith('#')) block.push(next)
    }
    if (line === 'clear') {
      // What stands under it without a blank line is a command of its own.
      index = number - 1
      commands.push({ kind: 'clear' })
    } else if (line.startsWith('load')) {
      commands.push({ kind: 'load', step: milliseconds(line.split(/\s+/)[1] ?? ''), nhcb: line.startsWith('load_with_nhcb'), series: block.map(seriesLine) })
    } else if (line.startsWith('eval')) commands.push(evaluation(line, number, block))
    else throw new Error(`line ${number}: not a command: ${line}`)
  }
  return commands
}
