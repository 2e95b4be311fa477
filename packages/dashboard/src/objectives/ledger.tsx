import type { BudgetLedger, LedgerEntry } from '@andon/model'
import type { JSX } from 'react'
import { AppLink } from '../ui/app-link.tsx'
import { DataTable } from '../ui/data-table.tsx'
import { Num } from '../ui/number.tsx'
import type { Column } from '../ui/sorting.ts'
import { Nothing } from '../ui/states.tsx'

const NOUNS: Readonly<Record<string, string>> = { incident: 'Incident', route: 'Route', release: 'Release' }

function columns(by: string): readonly Column<LedgerEntry>[] {
  return [
    {
      key: 'title',
      header: NOUNS[by] ?? 'Part',
      order: (row) => row.title,
      cell: (row) =>
        by === 'incident' && row.key !== '' ? (
          <AppLink to="/incidents/$id" params={{ id: row.key }} className="ledger-title">
            {row.title}
          </AppLink>
        ) : (
          <span className={`ledger-title ${row.key === '' ? 'dim' : by === 'incident' ? '' : 'mono'}`}>{row.title}</span>
        ),
    },
    { key: 'bad', header: 'Bad', align: 'end', order: (row) => row.bad, cell: (row) => <Num value={row.bad} unit="count" /> },
    { key: 'budget', header: 'Of the budget', align: 'end', minor: true, order: (row) => row.budget, cell: (row) => <Num value={row.budget} unit="ratio" absent="Nothing is allowed" /> },
    {
      key: 'share',
      header: 'Of what was bad',
      align: 'end',
      order: (row) => row.share,
      cell: (row) => (
        <span className="cell-bar">
          <i style={{ '--share': `${row.share * 100}%` }} />
          <Num value={row.share} unit="ratio" />
        </span>
      ),
    },
  ]
}

/** The parts of all that was bad; they sum to the whole. */
export function Ledger({ ledger, by }: { readonly ledger: BudgetLedger; readonly by: string }): JSX.Element {
  const rows = by === 'route' ? ledger.byRoute : by === 'release' ? ledger.byRelease : ledger.byIncident
  if (ledger.bad === 0 || rows.length === 0) return <Nothing title="Nothing was bad in this window">{ledger.total === 0 ? 'Nothing was counted either.' : 'The whole budget is left.'}</Nothing>
  return (
    <>
      <DataTable key={by} caption={`What was bad by ${by}`} columns={columns(by)} rows={rows} rowKey={(row) => `${row.key}/${row.title}`} initial={{ key: 'bad', down: true }} />
      <p className="ledger-sum dim">
        <Num value={ledger.bad} unit="count" /> of <Num value={ledger.total} unit="count" /> were bad; <Num value={ledger.allowed} unit="count" /> are allowed.
      </p>
    </>
  )
}
