import { type JSX, useMemo } from 'react'
import { Strip } from '../charts/strip.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Panel } from '../ui/panel.tsx'
import { Severity } from '../ui/severity.tsx'
import { severityRank, severityTone } from '../ui/severity-rank.ts'
import type { Column } from '../ui/sorting.ts'
import type { Zone } from '../ui/time-range.ts'
import { lastedText, timeText } from '../ui/time-text.ts'
import { useNow, useShell } from '../ui/use-shell.ts'
import type { FiringEpisode } from './episodes.ts'

const STRIPS = 12
const TONES = { critical: 'bad', warning: 'warn', info: 'accent' } as const

/** The times of each rule; the rule that fired most often comes first. */
function byRule(episodes: readonly FiringEpisode[]): [rule: string, episodes: FiringEpisode[]][] {
  const rules = new Map<string, FiringEpisode[]>()
  for (const episode of episodes) {
    const list = rules.get(episode.rule)
    if (list === undefined) rules.set(episode.rule, [episode])
    else list.push(episode)
  }
  return [...rules].toSorted((a, b) => b[1].length - a[1].length)
}

interface Shown {
  readonly episodes: readonly FiringEpisode[]
  readonly faded: boolean
}

/** One strip per rule: when any alert of it fired. */
export function RuleStrips({ episodes, range, faded }: Shown & { readonly range: { readonly start: number; readonly end: number } }): JSX.Element {
  const { zone } = useShell()
  const rules = useMemo(() => byRule(episodes), [episodes])
  return (
    <Panel title="By rule" aside={<span>The most frequent first</span>} faded={faded}>
      <ul className="rule-strips">
        {rules.slice(0, STRIPS).map(([rule, list], index) => (
          <li key={rule}>
            <AppLink to="/alerts/history" search={{ rule }}>
              {rule}
            </AppLink>
            <small className="dim">{list.length === 1 ? 'once' : `${list.length} times`}</small>
            <Strip
              spans={list.map(({ start, end, severity, service }) => ({ start, end, tone: TONES[severityTone(severity)], label: `${timeText(start, zone)} ${service}` }))}
              range={range}
              zone={zone}
              axis={index === Math.min(rules.length, STRIPS) - 1}
              label={`${rule} fired ${list.length} times`}
            />
          </li>
        ))}
      </ul>
      {rules.length > STRIPS && <p className="dim">{rules.length - STRIPS} more rules are in the table.</p>}
    </Panel>
  )
}

const columns = (zone: Zone, now: number): readonly Column<FiringEpisode>[] => [
  { key: 'start', header: 'Began', order: (row) => row.start, cell: (row) => <span className="num">{timeText(row.start, zone)}</span> },
  {
    key: 'rule',
    header: 'Alert',
    order: (row) => row.rule,
    cell: (row) => (
      <span className="episode-cell">
        {row.incident === null ? (
          <b>{row.rule}</b>
        ) : (
          <AppLink to="/incidents/$id" params={{ id: row.incident }}>
            {row.rule}
          </AppLink>
        )}
        <small className="dim">{row.summary}</small>
      </span>
    ),
  },
  { key: 'service', header: 'Service', minor: true, order: (row) => row.service, cell: (row) => row.service },
  { key: 'severity', header: 'Severity', minor: true, order: (row) => -severityRank(row.severity), cell: (row) => <Severity severity={row.severity} /> },
  {
    key: 'lasted',
    header: 'Lasted',
    align: 'end',
    order: (row) => (row.end ?? now) - row.start,
    cell: (row) => (row.end === null ? <span className="tag bad">fires</span> : <span className="num">{lastedText(row.end - row.start)}</span>),
  },
]

/** Each time that an alert fired. */
export function EpisodesTable({ episodes, faded, cut }: Shown & { readonly cut: boolean }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(10_000)
  const shown = useMemo(() => columns(zone, now), [zone, now])
  return (
    <Panel flush title="Each time" aside={<span>{episodes.length === 1 ? 'once' : `${episodes.length} times`}{cut && '; older ones are left out, choose a shorter time'}</span>} faded={faded}>
      <DataTable caption="Times in which alerts fired" columns={shown} rows={episodes} rowKey={(row) => row.key} initial={{ key: 'start', down: true }} />
    </Panel>
  )
}
