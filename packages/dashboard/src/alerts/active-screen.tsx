import type { ListedAlert } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { type JSX, useMemo, useState } from 'react'
import { ALERTS_PATH, type AlertsAnswer, SILENCES_PATH, type SilencesAnswer } from '../api/alerts.ts'
import { type IncidentsAnswer, OPEN_INCIDENTS_PATH, RUNBOOKS_PATH, type RunbooksAnswer } from '../api/incidents.ts'
import { RULES_PATH, type RulesAnswer } from '../api/rules.ts'
import { useSilenceActions } from '../api/silence-actions.ts'
import { useLive, useOnce } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { matches } from '../ui/matchers.ts'
import { PageHead } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { matchersFor, SilenceForm, type WantedSilence } from '../ui/silence-form.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { usePatch } from '../ui/use-shell.ts'
import { type AlertPicks, counts, inOrder, isWanted } from './active-alerts.ts'
import { AlertRow } from './alert-row.tsx'
import { AlertPages } from './pages.tsx'
import { PendingAlerts } from './pending-alerts.tsx'
import './alerts.css'

const readSearch = picksReader({ find: [], severity: ['critical', 'warning', 'info'], show: ['told', 'suppressed'], service: [], open: [] })

/** What fires now, with everything that can be done about it one click away. */
export function ActiveAlertsScreen(): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const query = useLive<AlertsAnswer>(ALERTS_PATH)
  const silences = useLive<SilencesAnswer>(SILENCES_PATH)
  const alerts = query.data?.alerts
  return (
    <div className="stack">
      <PageHead title="Alerts" note={alerts === undefined ? 'What fires now' : noteOf(alerts)} />
      <AlertPages active={alerts?.length ?? 0} silences={silences.data?.silences.filter(({ state }) => state === 'active').length ?? 0} />
      <Filters search={search} alerts={alerts ?? []} />
      <Answer asked={query} rows={4} height={64}>
        {(data) => <List alerts={data.alerts} silences={silences.data?.silences ?? []} search={search} />}
      </Answer>
    </div>
  )
}

function noteOf(alerts: readonly ListedAlert[]): string {
  const { critical, told, suppressed } = counts(alerts)
  if (alerts.length === 0) return 'Nothing fires'
  return [`${told} ${told === 1 ? 'fires' : 'fire'}`, ...(critical > 0 ? [`${critical} critical`] : []), ...(suppressed > 0 ? [`${suppressed} held back`] : [])].join(' · ')
}

function Filters({ search, alerts }: { readonly search: AlertPicks; readonly alerts: readonly ListedAlert[] }): JSX.Element {
  const patch = usePatch()
  const { told, suppressed } = counts(alerts)
  return (
    <div className="list-filters" role="search" aria-label="Filter alerts">
      <SearchField label="Find an alert" placeholder="Name, service, label=value" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
      <SegmentedControl
        size="xs"
        aria-label="Severity"
        value={search.severity ?? 'all'}
        onChange={(chosen) => patch({ severity: chosen === 'all' ? undefined : chosen })}
        data={[
          { value: 'all', label: 'All' },
          { value: 'critical', label: 'Critical' },
          { value: 'warning', label: 'Warning' },
          { value: 'info', label: 'Info' },
        ]}
      />
      <SegmentedControl
        size="xs"
        aria-label="Held back or not"
        value={search.show ?? 'all'}
        onChange={(chosen) => patch({ show: chosen === 'all' ? undefined : chosen })}
        data={[
          { value: 'all', label: 'All' },
          { value: 'told', label: `Told ${told}` },
          { value: 'suppressed', label: `Held back ${suppressed}` },
        ]}
      />
      {search.service !== undefined && (
        <button type="button" className="chip" onClick={() => patch({ service: undefined })} aria-label={`Remove the filter service ${search.service}`}>
          service: {search.service}
          <Icon name="close" size={11} />
        </button>
      )}
    </div>
  )
}

function List({ alerts, silences, search }: { readonly alerts: readonly ListedAlert[]; readonly silences: SilencesAnswer['silences']; readonly search: AlertPicks }): JSX.Element {
  const patch = usePatch()
  const incidents = useLive<IncidentsAnswer>(OPEN_INCIDENTS_PATH)
  const runbooks = useOnce<RunbooksAnswer>(RUNBOOKS_PATH)
  const rules = useLive<RulesAnswer>(RULES_PATH)
  const [silencing, setSilencing] = useState<ListedAlert | null>(null)
  const found = useMemo(() => inOrder(alerts.filter((alert) => isWanted(alert, search))), [alerts, search])
  return (
    <>
      {alerts.length === 0 && (
        <div className="all-clear" role="status">
          <i aria-hidden="true">
            <Icon name="check" size={18} />
          </i>
          <div>
            <b>Nothing fires</b>
            <p className="dim">
              <AppLink to="/alerts/rules">Rules</AppLink>, <AppLink to="/objectives">objectives</AppLink> and <AppLink to="/detectors">detectors</AppLink> are watching.
            </p>
          </div>
        </div>
      )}
      {alerts.length > 0 && found.length === 0 && <Nothing title="No alert matches">Take a filter away to see all {alerts.length}.</Nothing>}
      {found.length > 0 && (
        <ul className="alerts" aria-label="Active alerts">
          {found.map((alert) => (
            <AlertRow
              key={alert.fingerprint}
              alert={alert}
              incident={incidents.data?.incidents.find(({ id }) => id === alert.incident)}
              silences={silences.filter(({ id }) => alert.silencedBy.includes(id))}
              runbooks={runbooks.data?.runbooks ?? []}
              open={search.open === alert.fingerprint}
              onOpen={(open) => patch({ open: open ? alert.fingerprint : undefined }, true)}
              onSilence={() => setSilencing(alert)}
              onPick={(name, value) => patch({ find: `${name}=${value}` })}
            />
          ))}
        </ul>
      )}
      {rules.data !== undefined && <PendingAlerts groups={rules.data.data.groups} />}
      <SilenceDialog alert={silencing} alerts={alerts} onClose={() => setSilencing(null)} />
    </>
  )
}

function SilenceDialog({ alert, alerts, onClose }: { readonly alert: ListedAlert | null; readonly alerts: readonly ListedAlert[]; readonly onClose: () => void }): JSX.Element {
  const { create } = useSilenceActions()
  const send = async (wanted: WantedSilence): Promise<void> => {
    if (await create.run(wanted)) onClose()
  }
  return (
    <Dialog title={`Silence ${alert?.labels['alertname'] ?? ''}`} open={alert !== null} onClose={onClose}>
      {alert !== null && (
        <SilenceForm
          initial={{ matchers: matchersFor(alert.labels) }}
          count={(matchers) => alerts.filter(({ labels }) => matches(matchers, labels)).length}
          busy={create.busy}
          submit="Silence"
          onCancel={onClose}
          onSubmit={(wanted) => void send(wanted)}
        />
      )}
    </Dialog>
  )
}
