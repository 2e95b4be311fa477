import type { CheckResult, Incident, MatchedRunbook, Runbook } from '@andon/model'
import { Button, NativeSelect } from '@mantine/core'
import type { JSX } from 'react'
import type { RunbookAnswer } from '../api/incidents.ts'
import { unitOfExpression } from '../api/promql.ts'
import { Answer, type Asked } from '../ui/answer.tsx'
import { quantityText } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { When } from '../ui/when.tsx'
import { tickedActions } from './words.ts'

export interface RunbookPanelProps {
  readonly incident: Incident
  /** All that fit, also those that lie elsewhere. */
  readonly matched: readonly MatchedRunbook[]
  readonly chosen: MatchedRunbook | undefined
  readonly asked: Asked<RunbookAnswer>
  readonly onChoose: (name: string) => void
  readonly busy: boolean
  readonly onTick: (runbook: Runbook, step: number, done: boolean) => void
}

/** The procedure for this incident: what its checks say now, the steps to take, the text. */
export function RunbookPanel(props: RunbookPanelProps): JSX.Element {
  const { incident, matched, chosen, asked, onChoose } = props
  const here = matched.filter(({ name }) => name !== '')
  const elsewhere = matched.filter(({ url }) => url !== '')
  return (
    <Panel
      className="in-runbook"
      title={chosen?.title ?? 'Runbook'}
      aside={
        here.length > 1 ? (
          <NativeSelect size="xs" aria-label="Runbook" value={chosen?.name ?? ''} onChange={(event) => onChoose(event.currentTarget.value)} data={here.map(({ name, title }) => ({ value: name, label: title }))} />
        ) : (
          <span>Runbook{asked.data !== undefined && asked.data.runbook.owner !== '' ? `, kept by ${asked.data.runbook.owner}` : ''}</span>
        )
      }
    >
      <div id="runbook" className="runbook">
        {elsewhere.map(({ url, title }) => (
          <p key={url}>
            <a href={url} target="_blank" rel="noreferrer noopener">
              {title}
            </a>
          </p>
        ))}
        {chosen === undefined && elsewhere.length === 0 && (
          <Nothing title="No runbook fits this incident">
            <span>
              Put a Markdown file with <code>alert: {incident.alerts[0]?.rule ?? 'NameOfTheAlert'}</code> in its head into the folder of runbooks; it then stands here.
            </span>
          </Nothing>
        )}
        {chosen !== undefined && (
          <Answer asked={asked} bare rows={4} height={24}>
            {(answer) => <Known {...props} answer={answer} />}
          </Answer>
        )}
      </div>
    </Panel>
  )
}

type KnownProps = RunbookPanelProps & { readonly answer: RunbookAnswer }

function Known(props: KnownProps): JSX.Element {
  const { runbook } = props.answer
  return (
    <>
      {runbook.checks.length > 0 && <Checks {...props} />}
      {runbook.actions.length > 0 && <Steps {...props} />}
      {runbook.text.trim() !== '' && (
        <details className="runbook-text" open={runbook.actions.length === 0}>
          <summary>The whole procedure</summary>
          <Markdown text={runbook.text} />
        </details>
      )}
    </>
  )
}

function Checks({ answer, asked }: KnownProps): JSX.Element {
  const { results, runbook, at } = answer
  return (
    <section aria-label="Checks">
      <h3>
        What it says now{' '}
        <span className="dim">
          <When time={at} />
        </span>
        <Button size="compact-xs" variant="subtle" onClick={() => void asked.refetch()}>
          Ask again
        </Button>
      </h3>
      <ul className="checks">
        {(results ?? runbook.checks.map((check) => ({ ...check, samples: [], more: 0, error: 'not asked' }))).map((check) => (
          <Check key={`${check.title} ${check.query}`} check={check} />
        ))}
      </ul>
    </section>
  )
}

function Check({ check }: { readonly check: CheckResult }): JSX.Element {
  const { title, query, samples, more, error } = check
  const unit = unitOfExpression(query)
  return (
    <li title={query}>
      <span>{title}</span>
      {error !== '' && <span className="bad-text">{error}</span>}
      {error === '' && samples.length === 0 && <span className="dim">nothing found</span>}
      {error === '' &&
        samples.slice(0, 3).map((sample) => (
          <span key={JSON.stringify(sample.labels)} className="check-value">
            {samples.length > 1 && <small className="dim">{Object.values(sample.labels).join(' · ')}</small>} <b className="num">{quantityText(sample.value, unit)}</b>
          </span>
        ))}
      {samples.length + more > 3 && <small className="dim">and {samples.length + more - 3} more</small>}
    </li>
  )
}

function Steps({ incident, answer, busy, onTick }: KnownProps): JSX.Element {
  const { runbook } = answer
  const ticked = tickedActions(incident, runbook)
  return (
    <section aria-label="Steps">
      <h3>Steps</h3>
      <ol className="steps">
        {runbook.actions.map((action, index) => {
          const done = ticked.get(index)
          return (
            <li key={action} className={done === undefined ? '' : 'done'}>
              <button type="button" role="checkbox" aria-checked={done !== undefined} aria-label={action} disabled={busy} className="tick" onClick={() => onTick(runbook, index, done === undefined)}>
                {done !== undefined && <Icon name="check" size={13} />}
              </button>
              <span>
                {action}
                {done !== undefined && (
                  <small className="dim">
                    {done.actor} <When time={done.at} />
                  </small>
                )}
              </span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
