import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { OWN_RULES_PATH, type OwnRulesAnswer, RULES_PATH, type RulesAnswer } from '../api/rules.ts'
import { useOnce } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { readShellSearch } from '../ui/url-state.ts'
import { AlertPages } from './pages.tsx'
import { EMPTY, formOfOwn, type RuleForm } from './rule-definition.ts'
import { RuleEditor } from './rule-editor.tsx'
import './alerts.css'

const readSearch = picksReader({ like: [] })

/** Makes a rule, or changes one that was made here. */
export function RuleEditorScreen(): JSX.Element {
  const { id } = useParams({ strict: false })
  const raw = useSearch({ strict: false })
  const { like } = useMemo(() => readSearch(raw), [raw])
  return (
    <div className="stack">
      <PageHead title={id === undefined ? 'New rule' : 'Change a rule'} note="Try it on what is stored before it may call anybody." />
      <AlertPages />
      {id === undefined ? <NewRule like={like} /> : <Existing id={id} />}
    </div>
  )
}

function useLeave(): () => void {
  const navigate = useNavigate()
  return () => void navigate({ to: '/alerts/rules', search: (before: Record<string, unknown>) => readShellSearch(before) })
}

function NewRule({ like }: { readonly like: string | undefined }): JSX.Element {
  const leave = useLeave()
  const rules = useOnce<RulesAnswer>(like === undefined ? null : RULES_PATH)
  if (like === undefined) return <RuleEditor initial={EMPTY} isNew onDone={leave} />
  return <Answer asked={rules}>{({ data }) => <RuleEditor initial={likeForm(data.groups.flatMap((group) => group.rules), like)} isNew onDone={leave} />}</Answer>
}

const seconds = (value: number): string => (value === 0 ? '' : `${value}s`)

/** A form with what a rule of a file says; a new name, because two would be told as one. */
function likeForm(rules: RulesAnswer['data']['groups'][number]['rules'], like: string): RuleForm {
  const rule = rules.find((one) => one.name === like && one.type === 'alerting')
  if (rule?.type !== 'alerting') return EMPTY
  const { severity = 'warning', ...labels } = rule.labels
  return {
    ...EMPTY,
    kind: 'promql',
    alert: `${rule.name} own`,
    expr: rule.query,
    severity,
    for: seconds(rule.duration),
    keepFiringFor: seconds(rule.keepFiringFor),
    summary: rule.annotations['summary'] ?? '',
    description: rule.annotations['description'] ?? '',
    runbookUrl: rule.annotations['runbook_url'] ?? '',
    labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(', '),
  }
}

function Existing({ id }: { readonly id: string }): JSX.Element {
  const leave = useLeave()
  const own = useOnce<OwnRulesAnswer>(OWN_RULES_PATH)
  return (
    <Answer asked={own}>
      {({ rules }) => {
        const rule = rules.find((one) => one.id === id)
        if (rule !== undefined) return <RuleEditor key={rule.revision} initial={formOfOwn(rule)} isNew={false} onDone={leave} />
        return (
          <Panel>
            <Nothing title="There is no such rule here">
              <AppLink to="/alerts/rules">All rules</AppLink>
            </Nothing>
          </Panel>
        )
      }}
    </Answer>
  )
}
