import type { IncidentRow } from '@andon/model'
import { Button } from '@mantine/core'
import type { JSX } from 'react'
import { useAcknowledge } from '../api/acknowledge.ts'
import { AppLink } from '../ui/app-link.tsx'
import { Icon } from '../ui/icons.tsx'
import { Severity } from '../ui/severity.tsx'
import { severityRank, severityTone } from '../ui/severity-rank.ts'
import { lastedText } from '../ui/time-text.ts'
import { useNow } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { STATE_TEXT, stateTone } from './words.ts'

/** Open incidents as cards: those nobody has taken first, then the worst, then the newest. */
export function OpenIncidents({ incidents, filtered }: { readonly incidents: readonly IncidentRow[]; readonly filtered: boolean }): JSX.Element {
  const acknowledge = useAcknowledge()
  if (incidents.length === 0) {
    return (
      <div className="all-clear" role="status">
        <i aria-hidden="true">
          <Icon name="check" size={18} />
        </i>
        <div>
          <b>{filtered ? 'No open incident matches' : 'Nothing is open'}</b>
          <p className="dim">{filtered ? 'Take a filter away to see all.' : 'An incident opens by itself when an alert fires that people should know of.'}</p>
        </div>
      </div>
    )
  }
  const sorted = incidents.toSorted((a, b) => Number(b.state === 'detected') - Number(a.state === 'detected') || severityRank(a.severity) - severityRank(b.severity) || b.detectedAt - a.detectedAt)
  return (
    <ul className="open-incidents" aria-label="Open incidents">
      {sorted.map((incident) => (
        <Card key={incident.id} incident={incident} busy={acknowledge.busy} onAcknowledge={() => void acknowledge.run(incident)} />
      ))}
    </ul>
  )
}

function Card({ incident, busy, onAcknowledge }: { readonly incident: IncidentRow; readonly busy: boolean; readonly onAcknowledge: () => void }): JSX.Element {
  const now = useNow(1000)
  const { firing, acknowledged, rules } = incident
  return (
    <li className={`open-incident ${severityTone(incident.severity)}`}>
      <div className="open-incident-what">
        <h2>
          <AppLink to="/incidents/$id" params={{ id: incident.id }}>
            {incident.title}
          </AppLink>
        </h2>
        <p className="open-incident-facts dim">
          <Severity severity={incident.severity} />
          <span className={`tag ${stateTone(incident.state)}`}>{STATE_TEXT[incident.state]}</span>
          {incident.services.length > 0 && <span>{incident.services.slice(0, 3).join(', ')}</span>}
          <span className="minor">{rules.slice(0, 3).join(', ')}</span>
          <span>{firing === 0 ? 'no alert fires now' : firing === 1 ? '1 alert fires' : `${firing} alerts fire`}</span>
        </p>
      </div>
      <div className="open-incident-since">
        <b className="num">{lastedText(now - incident.onsetAt)}</b>
        <small className="dim">
          since <When time={incident.onsetAt} />
        </small>
      </div>
      <div className="open-incident-who">
        {acknowledged === null ? (
          <Button size="xs" loading={busy} onClick={onAcknowledge} leftSection={<Icon name="person" size={14} />} aria-label={`Acknowledge ${incident.title}`}>
            Acknowledge
          </Button>
        ) : (
          <span className="owner">
            <Icon name="person" size={14} />
            {acknowledged.actor}
          </span>
        )}
      </div>
    </li>
  )
}
