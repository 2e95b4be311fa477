// The detectors over simulated weeks in which nothing is wrong, and over simulated faults, as Markdown.
import { PARAMETER_SET } from '@andon/server'
import { DEFINITIONS, faultTable, scoreTable } from '../scoring/table.ts'
import { type NullResult, runInjectedSuite, runNullSuite } from './run.ts'

const per = (episodes: number, weeks: number): string => (episodes / weeks).toFixed(episodes / weeks < 10 ? 2 : 0)
const share = (firing: number, slices: number): string => `${((firing / slices) * 100).toFixed(3)} %`
const sum = (results: readonly NullResult[], of: (result: NullResult) => number): number => results.reduce((all, each) => all + of(each), 0)

function row(name: string, results: readonly NullResult[]): string {
  const weeks = sum(results, (each) => each.weeks)
  const slices = sum(results, (each) => each.slices)
  const states = [...new Set(results.map(({ state }) => state))].map((state) => `${results.filter((each) => each.state === state).length} ${state}`).join(', ')
  const peers = ([(each: NullResult) => each.sigma, (each: NullResult) => each.robust] as const).map((of) => `${per(sum(results, (each) => of(each).episodes), weeks)} | ${share(sum(results, (each) => of(each).firingSlices), slices)}`)
  return `| ${name} | ${per(sum(results, (each) => each.paged), weeks)} | ${per(sum(results, (each) => each.told), weeks)} | ${per(sum(results, (each) => each.trusted), weeks)} | ${per(sum(results, (each) => each.ours.episodes), weeks)} | ${share(sum(results, (each) => each.ours.firingSlices), slices)} | ${peers.join(' | ')} | ${states} |`
}

/** The greatest rate that so many events in so many weeks do not exclude at 95 %: for none the rule of three. @see Byar's approximation */
function atMost(events: number, weeks: number): string {
  const next = events + 1
  const high = events === 0 ? 3 : next * (1 - 1 / (9 * next) + 1.645 / (3 * Math.sqrt(next))) ** 3
  return (high / weeks).toFixed(3)
}

/** @param weeks - of each series, after eight days of history @param machine - the machine and its Node, in a line @returns a report in Markdown */
export async function soakNullSuite(weeks: number, machine: string): Promise<string> {
  const begun = performance.now()
  const results = await runNullSuite(weeks, 4, ({ name, ours, paged, state }) => void process.stderr.write(`${name}: ${ours.episodes} alarms, ${paged} pages, ${state}\n`))
  const allWeeks = sum(results, (each) => each.weeks)
  const paged = sum(results, (each) => each.paged)
  const trusted = sum(results, (each) => each.trusted)
  const injected = await runInjectedSuite(10)
  const names = [...new Set(results.map(({ name }) => name))]
  return [
    `### Detectors over ${allWeeks} simulated series-weeks in which nothing is wrong`,
    '',
    'This is simulation: series are made by a seeded generator, no service has run. Figures are false episodes per series-week and the share of slices in which it fired; each series has eight days of history before anything is counted.',
    '',
    '| series | pages | pages and tickets | alarms of a series that may page | any alarm | time | static 3σ, 3 of 3 | time | robust z, k = 6 | time | state at the end |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...names.map((name) => row(name, results.filter((each) => each.name === name))),
    row('**all**', results),
    '',
    `Pages: ${paged} in ${allWeeks} series-weeks; at 95 % not more than ${atMost(paged, allWeeks)} a week. Alarms of series that may page: ${trusted}, not more than ${atMost(trusted, allWeeks)} a week. Each series is a service of its own here: what needs a second family to page finds none.`,
    '',
    '### Simulated faults of five minutes, one every half hour, ten of each kind',
    '',
    'All signals of one service, by the number of its requests. On these series the constants were chosen, so the figures are those of tuning, not a proof; the proof is the recorded corpus.',
    '',
    ...injected.flatMap(({ rate, scores }) => [`#### ${rate} requests a second`, '', ...scoreTable(scores), '', ...faultTable(scores), '']),
    `Every fault but latency × 1.3, which is below the floor, counts, also where few requests hide its effect. ${DEFINITIONS}`,
    '',
    `Parameters: "${PARAMETER_SET}". ${((performance.now() - begun) / 60_000).toFixed(1)} minutes. ${machine}.`,
    '',
  ].join('\n')
}
