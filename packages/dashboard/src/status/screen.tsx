import type { JSX } from 'react'
import { ApiError, STATUS_PATH } from '../api/client.ts'
import { useLive } from '../api/use-live.ts'
import { Num } from '../ui/number.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { useShell } from '../ui/use-shell.ts'
import type { StatusGroup } from './status-fact.ts'
import { statusGroups } from './status-groups.ts'
import './status.css'

/** Andon's own numbers: what it stores, takes in, refuses, and uses. */
export function StatusScreen(): JSX.Element {
  const query = useLive<Record<string, unknown>>(STATUS_PATH)
  const { data, error } = query
  const { zone } = useShell()
  const version = data?.['version']
  return (
    <div className="stack">
      <PageHead
        title="Status of Andon"
        note={typeof version === 'string' ? `Version ${version}` : 'The watcher, watched'}
        actions={error === null ? <span className="tag good">Answering</span> : <span className="tag bad">Not answering</span>}
      />
      {error !== null && (
        <Failed
          error={error instanceof ApiError ? { message: error.message, hint: error.hint, code: error.code } : { message: error.message }}
          retry={() => void query.refetch()}
        />
      )}
      {data === undefined && error === null && (
        <Panel>
          <Loading rows={6} />
        </Panel>
      )}
      {data !== undefined && (
        <div className="status-groups">
          {statusGroups(data, zone).map((group) => (
            <Group key={group.title} group={group} />
          ))}
        </div>
      )}
    </div>
  )
}

function Group({ group }: { readonly group: StatusGroup }): JSX.Element {
  return (
    <Panel flush title={group.title}>
      <table className="table status-table">
        <caption className="sr">{group.title}</caption>
        <tbody>
          {group.facts.map((fact) => (
            <tr key={fact.name}>
              <th scope="row">{fact.name}</th>
              <td className={fact.alarming ? 'end bad-text' : 'end'}>
                {fact.note !== undefined && <span className="dim">{fact.note}</span>}{' '}
                {fact.unit === null ? fact.text : <Num value={fact.value} unit={fact.unit} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  )
}
