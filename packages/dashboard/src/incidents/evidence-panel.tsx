import type { Evidence } from '@andon/model'
import { type JSX, useMemo, useState } from 'react'
import { evidencePath } from '../api/incidents.ts'
import { unitOfExpression } from '../api/promql.ts'
import { useOnce } from '../api/use-live.ts'
import { asLines } from '../charts/lines.ts'
import { TimeSeries } from '../charts/time-series.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Panel } from '../ui/panel.tsx'
import { Failed, Loading, Nothing } from '../ui/states.tsx'
import { useShell } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { courseOf, evidenceFacts, traceOf } from './evidence-data.ts'

const ICONS: Readonly<Record<Evidence['kind'], IconName>> = { trace: 'traces', errors: 'warning', statements: 'search', series: 'status' }

/** Characters of what was pinned, as they are; more would be slow to lay out. */
const JSON_SHOWN = 20_000

/** What was pinned of an incident, kept when where it came from has expired. */
export function EvidencePanel({ id, evidence }: { readonly id: string; readonly evidence: readonly Omit<Evidence, 'data'>[] }): JSX.Element {
  const [opened, setOpened] = useState(false)
  // What was pinned is large: it is asked for once somebody looks.
  const whole = useOnce<{ readonly evidence: readonly Evidence[] }>(opened ? evidencePath(id) : null)
  return (
    <Panel className="in-evidence" title="Evidence" aside={<span>Kept beyond retention</span>}>
      {evidence.length === 0 ? (
        <Nothing title="Nothing is pinned yet">The slowest traces, the errors and the statements of these minutes are pinned soon after an incident opens, and again when it is resolved.</Nothing>
      ) : (
        <ul className="evidence">
          {evidence.map((one) => (
            <One key={one.name} head={one} whole={whole.data?.evidence.find(({ name }) => name === one.name)} error={whole.error} onOpen={() => setOpened(true)} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

interface OneProps {
  readonly head: Omit<Evidence, 'data'>
  /** Undefined until it was asked for. */
  readonly whole: Evidence | undefined
  readonly error: Error | null
  readonly onOpen: () => void
}

function One({ head, whole, error, onOpen }: OneProps): JSX.Element {
  const { kind, title, at } = head
  return (
    <li>
      <details onToggle={(event) => event.currentTarget.open && onOpen()}>
        <summary>
          <Icon name={ICONS[kind]} size={15} />
          <span>{title}</span>
          <small className="dim">
            <When time={at} />
          </small>
        </summary>
        {whole === undefined ? error === null ? <Loading rows={2} height={22} /> : <Failed error={{ message: error.message }} /> : <Whole evidence={whole} />}
      </details>
    </li>
  )
}

function Whole({ evidence }: { readonly evidence: Evidence }): JSX.Element {
  const { kind, cut, data } = evidence
  const { zone } = useShell()
  const trace = traceOf(evidence)
  const facts = useMemo(() => evidenceFacts(evidence), [evidence])
  const course = useMemo(() => (kind === 'series' ? courseOf(data) : null), [kind, data])
  return (
    <div className="evidence-more">
      {trace !== null && (
        <p>
          <AppLink to="/trace/$traceId" params={{ traceId: trace }}>
            Open the trace
          </AppLink>{' '}
          <span className="dim">while it is stored; what was pinned stays here.</span>
        </p>
      )}
      {course !== null && <TimeSeries title={evidence.title} t={course.t} series={asLines(course.series)} unit={unitOfExpression(course.expression)} range={course.range} zone={zone} height={140} syncKey="evidence" />}
      {facts.length > 0 && (
        <div className="table-scroll">
          <table className="table">
            <tbody>
              {facts.map((fact, index) => (
                <tr key={`${index} ${fact.name}`}>
                  <th scope="row">{fact.name}</th>
                  <td className="end num">{fact.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details>
        <summary className="dim">As JSON</summary>
        <pre className="json">{JSON.stringify(data, null, 1).slice(0, JSON_SHOWN)}</pre>
      </details>
      {cut && <p className="dim">It was too large to be kept whole.</p>}
    </div>
  )
}
