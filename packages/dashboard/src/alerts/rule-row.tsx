import type { ListedOwnRule, ListedRule } from '@andon/model'
import { type JSX, useState } from 'react'
import { AppLink } from '../ui/app-link.tsx'
import { ConfirmButton } from '../ui/dialog.tsx'
import { Expression } from '../ui/expression.tsx'
import { Icon } from '../ui/icons.tsx'
import { LabelList } from '../ui/label-list.tsx'
import { Num } from '../ui/number.tsx'
import { Severity } from '../ui/severity.tsx'
import { lastedText } from '../ui/time-text.ts'
import { When } from '../ui/when.tsx'

export interface RuleRowProps {
  readonly rule: ListedRule
  /** Where it was made here. */
  readonly own: ListedOwnRule | undefined
  readonly busy: boolean
  readonly onRemove: () => void
}

/** What an alert fills in stands for nothing in a list of rules. */
const PLACES = /\{\{.*?\}\}/g
const TONES: Readonly<Record<string, string>> = { firing: 'bad', pending: 'warn', inactive: 'good' }

/** One rule; it opens to its expression, what fires by it, and what can be done. */
export function RuleRow(props: RuleRowProps): JSX.Element {
  const [open, setOpen] = useState(false)
  return (
    <li className="rule">
      <Head rule={props.rule} open={open} onOpen={setOpen} />
      {open && <More {...props} />}
    </li>
  )
}

/** What the head of a rule says of it; what a recording rule has not is empty. */
function headOf(rule: ListedRule): { readonly kind: string; readonly active: number; readonly summary: string } {
  if (rule.type === 'recording') return { kind: 'recording', active: 0, summary: rule.query }
  const { state, alerts, annotations, query } = rule
  return { kind: state, active: alerts.length, summary: (annotations['summary'] ?? annotations['description'])?.replaceAll(PLACES, '…') ?? query }
}

function Head({ rule, open, onOpen }: { readonly rule: ListedRule; readonly open: boolean; readonly onOpen: (open: boolean) => void }): JSX.Element {
  const severity = rule.labels['severity']
  const isBroken = rule.health === 'err'
  const { kind, active, summary } = headOf(rule)
  const state = isBroken ? 'cannot be evaluated' : kind
  return (
    <button type="button" className="rule-head" aria-expanded={open} onClick={() => onOpen(!open)}>
      <Icon name={open ? 'down' : 'right'} size={14} />
      <span className="rule-name">
        <b>{rule.name}</b>
        <small className="dim">{summary}</small>
      </span>
      {severity !== undefined && (
        <span className="minor">
          <Severity severity={severity} />
        </span>
      )}
      <span className={`tag ${isBroken ? 'bad' : (TONES[state] ?? '')}`}>
        {state}
        {active > 1 && ` · ${active}`}
      </span>
    </button>
  )
}

function More(props: RuleRowProps): JSX.Element {
  const { rule } = props
  return (
    <div className="rule-more">
      {rule.health === 'err' && (
        <p className="detail-problem" role="alert">
          {rule.lastError ?? 'It cannot be evaluated.'}
        </p>
      )}
      <Expression text={rule.query} />
      <Facts {...props} />
      <LabelList labels={rule.labels} />
      <ActiveOf rule={rule} />
      <Tools {...props} />
    </div>
  )
}

function Facts({ rule, own }: RuleRowProps): JSX.Element {
  const keeps = rule.type === 'alerting' ? rule.keepFiringFor * 1000 : 0
  return (
    <dl className="rule-facts">
      {rule.type === 'alerting' && <Fact name="Must hold for">{lastedText(rule.duration * 1000)}</Fact>}
      {keeps > 0 && <Fact name="Fires on for">{lastedText(keeps)}</Fact>}
      <Fact name="Evaluated">{rule.lastEvaluation.startsWith('0001') ? 'not yet' : <When time={Date.parse(rule.lastEvaluation)} ago />}</Fact>
      <Fact name="Took">
        <Num value={rule.evaluationTime} unit="seconds" />
      </Fact>
      {own !== undefined && (
        <Fact name="Changed">
          <When time={own.updatedAt} ago /> by {own.actor}
        </Fact>
      )}
    </dl>
  )
}

function Tools({ rule, own, busy, onRemove }: RuleRowProps): JSX.Element {
  return (
    <div className="rule-actions">
      {own === undefined && rule.type === 'alerting' && (
        <AppLink to="/alerts/rules/new" search={{ like: rule.name }} className="button-link small">
          Make one like it
        </AppLink>
      )}
      {own !== undefined && (
        <>
          <AppLink to="/alerts/rules/$id" params={{ id: own.id }} className="button-link small">
            <Icon name="edit" size={13} /> Change
          </AppLink>
          <ConfirmButton title={`Remove ${own.alert}?`} text="What fires by it is resolved, and it tells nothing any more. It can be undone for a moment." confirm="Remove" danger busy={busy} onConfirm={onRemove}>
            Remove
          </ConfirmButton>
        </>
      )}
      <AppLink to="/alerts/history" search={{ rule: rule.name }} className="button-link small">
        When it fired
      </AppLink>
    </div>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: JSX.Element | string | (JSX.Element | string)[] }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const SHOWN = 10

function ActiveOf({ rule }: { readonly rule: ListedRule }): JSX.Element | null {
  const alerts = rule.type === 'alerting' ? rule.alerts : []
  if (alerts.length === 0) return null
  return (
    <ul className="rule-alerts" aria-label={`Active alerts of ${rule.name}`}>
      {alerts.slice(0, SHOWN).map((alert) => (
        <li key={JSON.stringify(alert.labels)}>
          <span className={`tag ${TONES[alert.state] ?? ''}`}>{alert.state}</span>
          {alert.noDataSince !== undefined && <span className="tag warn">no data since <When time={Date.parse(alert.noDataSince)} /></span>}
          <span className="dim">
            since <When time={Date.parse(alert.activeAt)} ago />, value {alert.value}
          </span>
          <LabelList labels={alert.labels} without={['alertname', ...Object.keys(rule.labels)]} />
        </li>
      ))}
      {alerts.length > SHOWN && <li className="dim">and {alerts.length - SHOWN} more</li>}
    </ul>
  )
}
