import type { AlertVerdict, Incident } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import type { JSX } from 'react'
import { Panel } from '../ui/panel.tsx'
import { When } from '../ui/when.tsx'

const WORDS: Readonly<Record<AlertVerdict, string>> = { real: 'Real', noise: 'Noise', expected: 'Expected' }

const asVerdict = (text: string): AlertVerdict => (text === 'noise' || text === 'expected' ? text : 'real')

/** What each rule of an incident was good for: asked once it is over, because rules are judged by it. */
export function Verdicts({ incident, busy, onVerdict }: { readonly incident: Incident; readonly busy: boolean; readonly onVerdict: (rule: string, verdict: AlertVerdict) => void }): JSX.Element | null {
  const rules = [...new Set(incident.alerts.map(({ rule }) => rule))]
  if (rules.length === 0) return null
  const missing = rules.filter((rule) => incident.verdicts[rule] === undefined).length
  return (
    <Panel title="Was it worth being called?" aside={<span>{missing === 0 ? 'Judged' : `${missing} not judged yet`}</span>}>
      <p className="dim">Real: something was wrong. Noise: nothing was. Expected: it was known, such as maintenance. Rules that are noise are proposed to call nobody.</p>
      <ul className="verdicts">
        {rules.map((rule) => {
          const given = incident.verdicts[rule]
          return (
            <li key={rule}>
              <span id={`verdict-${rule}`}>{rule}</span>
              <SegmentedControl
                size="xs"
                aria-labelledby={`verdict-${rule}`}
                value={given?.verdict ?? ''}
                disabled={busy}
                onChange={(chosen) => onVerdict(rule, asVerdict(chosen))}
                data={(['real', 'noise', 'expected'] as const).map((value) => ({ value, label: WORDS[value] }))}
              />
              {given !== undefined && (
                <small className="dim">
                  by {given.actor} <When time={given.at} />
                </small>
              )}
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}
