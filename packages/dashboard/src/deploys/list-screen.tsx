import type { DeployMarker } from '@andon/model'
import { Button, TextInput } from '@mantine/core'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo, useState } from 'react'
import { DEPLOY_ROUTES, type DeployRequest, deploysPath, type DeploysAnswer, tellDeploy } from '../api/detection.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import type { Zone } from '../ui/time-range.ts'
import { agoText, timeText } from '../ui/time-text.ts'
import { picksReader } from '../ui/url-picks.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { useAction } from '../ui/use-action.ts'
import { useChosenTime, useNow, usePatch, useShell } from '../ui/use-shell.ts'
import './deploys.css'

const readSearch = picksReader({ find: [] })

/** What was released, by whom, and when; each opens to what it changed. */
export function DeploysScreen(): JSX.Element {
  const chosen = useChosenTime()
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const [telling, setTelling] = useState(false)
  const query = useLive<DeploysAnswer>(deploysPath(chosen))
  return (
    <div className="stack">
      <PageHead
        title="Deploys"
        note={chosen === null ? 'The last seven days; choose another time at the top' : 'In the chosen time'}
        actions={
          <Button size="xs" leftSection={<Icon name="plus" size={14} />} onClick={() => setTelling(true)}>
            Mark a deploy
          </Button>
        }
      />
      <div className="list-filters" role="search" aria-label="Filter deploys">
        <SearchField label="Find a deploy" placeholder="Service, version, note" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
      </div>
      <Answer asked={query}>{({ deploys }) => <Known deploys={deploys} find={search.find ?? ''} faded={query.isPlaceholderData} />}</Answer>
      <Dialog title="Mark a deploy" open={telling} onClose={() => setTelling(false)} size="sm">
        <Tell onDone={() => setTelling(false)} />
      </Dialog>
    </div>
  )
}

function Known({ deploys, find, faded }: { readonly deploys: readonly DeployMarker[]; readonly find: string; readonly faded: boolean }): JSX.Element {
  const { zone } = useShell()
  const now = useNow(30_000)
  const navigate = useNavigate()
  const shown = useMemo(() => columns(zone, now), [zone, now])
  const found = deploys.filter(({ service, version, note, environment, actor }) => [service, version, note, environment, actor].join('\n').toLowerCase().includes(find.toLowerCase()))
  if (found.length === 0) {
    return (
      <Panel>
        <Nothing title={deploys.length === 0 ? 'No deploy in this time' : 'No deploy matches'}>
          <span>
            A new <code>service.version</code> is seen by itself. A pipeline can mark one: <code>andon deploy SERVICE VERSION</code>, or POST /api/deploys.
          </span>
        </Nothing>
      </Panel>
    )
  }
  return (
    <Panel flush title="Deploys" aside={<span>A row opens what it changed</span>} faded={faded}>
      <DataTable
        caption="Deploys, the newest first"
        columns={shown}
        rows={found}
        rowKey={(row) => row.id}
        initial={{ key: 'at', down: true }}
        onOpen={(row) => void navigate({ to: '/deploys/$id', params: { id: row.id }, search: (before: Record<string, unknown>) => readShellSearch(before) })}
      />
    </Panel>
  )
}

const columns = (zone: Zone, now: number): readonly Column<DeployMarker>[] => [
  {
    key: 'version',
    header: 'Release',
    order: (row) => `${row.service} ${row.version}`,
    cell: (row) => (
      <span className="deploy-cell">
        <AppLink to="/deploys/$id" params={{ id: row.id }}>
          {row.service} {row.version}
        </AppLink>
        {row.note !== '' && <small className="dim">{row.note}</small>}
      </span>
    ),
  },
  {
    key: 'at',
    header: 'When',
    order: (row) => row.at,
    cell: (row) => (
      <span className="num">
        {timeText(row.at, zone).slice(0, 16)} <small>{agoText(row.at, now)}</small>
      </span>
    ),
  },
  { key: 'environment', header: 'Environment', minor: true, order: (row) => row.environment, cell: (row) => row.environment },
  { key: 'source', header: 'Known by', minor: true, order: (row) => row.source, cell: (row) => <span className="tag">{row.source === 'seen' ? 'seen in the telemetry' : `told by ${row.actor}`}</span> },
]

function Tell({ onDone }: { readonly onDone: () => void }): JSX.Element {
  const [typed, setTyped] = useState({ service: '', version: '', environment: '', note: '' })
  const [tried, setTried] = useState(false)
  const tell = useAction<DeployRequest>({ run: tellDeploy, routes: DEPLOY_ROUTES, done: ({ service, version }) => ({ text: `${service} ${version} is marked.` }), failed: 'The deploy was not marked' })
  const field = (name: keyof typeof typed, label: string, placeholder: string, needed: boolean): JSX.Element => (
    <TextInput size="xs" label={label} placeholder={placeholder} value={typed[name]} error={tried && needed && typed[name].trim() === '' ? 'Is needed' : null} onChange={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })} />
  )
  const send = async (): Promise<void> => {
    setTried(true)
    const { service, version, environment, note } = typed
    if (service.trim() === '' || version.trim() === '') return
    if (await tell.run({ service, version, ...(environment === '' ? {} : { environment }), ...(note === '' ? {} : { note }) })) onDone()
  }
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault()
        void send()
      }}
    >
      {field('service', 'Service', 'kanban', true)}
      {field('version', 'Version', '1.3.0', true)}
      {field('environment', 'Environment', 'production', false)}
      {field('note', 'Note', 'commit, build, what changed', false)}
      <div className="form-end">
        <Button size="xs" variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button size="xs" type="submit" loading={tell.busy}>
          Mark it
        </Button>
      </div>
    </form>
  )
}
