import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ask, refusalOf, type ServerFlags } from './ask.ts'
import { CommandError, EXIT } from './exit.ts'
import { table } from './table.ts'

export interface BacktestFlags extends ServerFlags {
  /** One expression in place of a file. */
  readonly expr?: string
  readonly for?: string
  readonly keepFiringFor?: string
  /** The name of the one rule of the file that is wanted. */
  readonly rule?: string
  readonly days?: string
  readonly interval?: string
  readonly json?: boolean
}

/** The server's answer, as far as it is shown. */
export interface Backtest {
  readonly alert: string
  readonly from: number
  readonly to: number
  readonly dataFrom: number | null
  readonly isShorter: boolean
  readonly count: number
  readonly perWeek: number | null
  readonly firingShare: number | null
  readonly episodes: readonly { readonly labels: Readonly<Record<string, string>>; readonly start: number; readonly end: number | null; readonly peak: number | null }[]
  readonly areEpisodesCut: boolean
}

/** Episodes of one rule that are shown; the latest. */
const SHOWN = 20
const DAY_MS = 86_400_000
/** The server gives up after two minutes. */
const ANSWER_MS = 150_000

function bodyOf(file: string | undefined, { expr, for: held, keepFiringFor, rule, days, interval }: BacktestFlags): object {
  if ((file === undefined) === (expr === undefined)) throw new CommandError(EXIT.usage, 'Name either a file of rules or an expression: andon rules backtest FILE, or --expr EXPRESSION.')
  const many = days === undefined ? undefined : Number(days)
  if (many !== undefined && !(many > 0)) throw new CommandError(EXIT.usage, `"${days}" is not a number of days.`)
  const shared = { ...(many !== undefined && { days: many }), ...(interval !== undefined && { interval }) }
  if (file === undefined) return { ...shared, rule: { alert: 'expression', expr, ...(held !== undefined && { for: held }), ...(keepFiringFor !== undefined && { keep_firing_for: keepFiringFor }) } }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(EXIT.usage, `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { ...shared, rules: text, file: basename(file), ...(rule !== undefined && { only: rule }) }
}

const moment = (time: number): string => new Date(time).toISOString().replace('T', ' ').slice(0, 19)

function length(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `${Math.round(ms / 1000)} s`
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([name]) => name !== 'alertname')
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')
}

const short = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(4))))

/** What a rule would have told, for people. */
export function renderBacktest({ alert, from, to, dataFrom, isShorter, count, perWeek, firingShare, episodes, areEpisodesCut }: Backtest): string {
  const days = Number(((to - from) / DAY_MS).toFixed(1))
  const history = dataFrom === null ? 'There are no data for it.' : isShorter ? `There are data only since ${moment(dataFrom)} UTC, ${to - dataFrom < 2 * DAY_MS ? length(to - dataFrom) : `${Number(((to - dataFrom) / DAY_MS).toFixed(1))} days`}.` : ''
  const rate = perWeek === null || firingShare === null ? '' : ` ${short(perWeek)} alerts a week; firing ${short(firingShare * 100)} % of the time.`
  const lines = [`${alert}: would have fired ${count} ${count === 1 ? 'time' : 'times'} in the last ${days} days.${rate}`]
  if (history !== '') lines.push(`  ${history}`)
  if (episodes.length > 0) {
    const rows = episodes.slice(-SHOWN).map(({ labels, start, end, peak }) => [moment(start), end === null ? 'still firing' : length(end - start), short(peak), labelsText(labels)])
    lines.push(table(['since (UTC)', 'for', 'worst', 'labels'], rows))
    if (areEpisodesCut || episodes.length > SHOWN) lines.push(`  The latest ${Math.min(SHOWN, episodes.length)} of ${count} are shown.`)
  }
  return lines.join('\n')
}

/**
 * Asks a server what rules would have told of the past.
 *
 * @returns the text for standard output
 * @throws CommandError usage, unreachable, problem when the server refuses the rules
 */
export async function backtestRules(file: string | undefined, flags: BacktestFlags): Promise<string> {
  const answer = await ask<{ readonly results?: readonly Backtest[]; readonly error?: unknown }>(`${flags.url}/api/rules/backtest`, flags, { method: 'POST', body: bodyOf(file, flags), withinMs: ANSWER_MS })
  if (answer.results === undefined) throw new CommandError(EXIT.problem, refusalOf(answer.error, 'The backtest failed.'))
  if (flags.json === true) return JSON.stringify(answer.results, undefined, 2)
  return answer.results.length === 0 ? 'no alerting rules' : answer.results.map(renderBacktest).join('\n\n')
}
