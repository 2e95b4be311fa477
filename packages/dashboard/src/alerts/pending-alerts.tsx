import type { ListedRuleGroup } from '@andon/model'
import type { JSX } from 'react'
import { LabelList } from '../ui/label-list.tsx'
import { Panel } from '../ui/panel.tsx'
import { Severity } from '../ui/severity.tsx'
import { lastedText } from '../ui/time-text.ts'
import { useNow } from '../ui/use-shell.ts'

const SHOWN = 20

/** What holds, but not yet for as long as its rule asks: told soon, or never. */
export function PendingAlerts({ groups }: { readonly groups: readonly ListedRuleGroup[] }): JSX.Element | null {
  const now = useNow(1000)
  const alerting = groups.flatMap(({ rules }) => rules.filter((rule) => rule.type === 'alerting'))
  const pending = alerting.flatMap((rule) => rule.alerts.filter(({ state }) => state === 'pending').map((alert) => ({ rule, alert })))
  if (pending.length === 0) return null
  return (
    <Panel flush title="Pending" aside={<span>Not told yet</span>}>
      <ul className="pending">
        {pending.slice(0, SHOWN).map(({ rule, alert }) => {
          const left = Date.parse(alert.activeAt) + rule.duration * 1000 - now
          return (
            <li key={`${rule.name} ${JSON.stringify(alert.labels)}`}>
              <b>{rule.name}</b>
              <Severity severity={alert.labels['severity'] ?? 'warning'} />
              <span className="dim">{left > 0 ? `fires in ${lastedText(left)} if it lasts` : 'fires with the next evaluation'}</span>
              <LabelList labels={alert.labels} without={['alertname', 'severity']} />
            </li>
          )
        })}
        {pending.length > SHOWN && <li className="dim">and {pending.length - SHOWN} more</li>}
      </ul>
    </Panel>
  )
}
