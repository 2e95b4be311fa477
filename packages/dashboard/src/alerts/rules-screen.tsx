import type { ListedOwnRule, ListedRule, ListedRuleGroup } from '@andon/model'
import { SegmentedControl } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { type JSX, useMemo } from 'react'
import { OWN_GROUP, OWN_RULES_PATH, type OwnRulesAnswer, removeRule, RULE_ROUTES, RULES_PATH, type RulesAnswer, saveRule } from '../api/rules.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { AppLink } from '../ui/app-link.tsx'
import { Icon } from '../ui/icons.tsx'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { SearchField } from '../ui/text-field.tsx'
import { picksReader } from '../ui/url-picks.ts'
import { useAction } from '../ui/use-action.ts'
import { usePatch } from '../ui/use-shell.ts'
import { AlertPages } from './pages.tsx'
import { RuleRow } from './rule-row.tsx'
import './alerts.css'

const readSearch = picksReader({ find: [], state: ['firing', 'pending', 'broken', 'own'] })

/** All rules: where they stand, how they fare, what fires by them. */
export function RulesScreen(): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const rules = useLive<RulesAnswer>(RULES_PATH)
  const own = useLive<OwnRulesAnswer>(OWN_RULES_PATH)
  return (
    <div className="stack">
      <PageHead
        title="Rules"
        note={rules.data === undefined ? 'What is watched, and from when on it is told' : noteOf(rules.data.data.groups)}
        actions={
          <AppLink to="/alerts/rules/new" className="button-link primary">
            <Icon name="plus" size={14} /> New rule
          </AppLink>
        }
      />
      <AlertPages />
      <div className="list-filters" role="search" aria-label="Filter rules">
        <SearchField label="Find a rule" placeholder="Name, expression, label" value={search.find ?? ''} onChange={(find) => patch({ find: find === '' ? undefined : find }, true)} />
        <SegmentedControl
          size="xs"
          aria-label="Which rules"
          value={search.state ?? 'all'}
          onChange={(chosen) => patch({ state: chosen === 'all' ? undefined : chosen })}
          data={[
            { value: 'all', label: 'All' },
            { value: 'firing', label: 'Firing' },
            { value: 'pending', label: 'Pending' },
            { value: 'broken', label: 'Failing' },
            { value: 'own', label: 'Made here' },
          ]}
        />
      </div>
      <Answer asked={rules}>{({ data }) => <Groups groups={data.groups} own={own.data?.rules ?? []} find={search.find ?? ''} state={search.state} />}</Answer>
    </div>
  )
}

function noteOf(groups: readonly ListedRuleGroup[]): string {
  const rules = groups.flatMap((group) => group.rules)
  const broken = rules.filter(({ health }) => health === 'err').length
  const alerting = rules.filter(({ type }) => type === 'alerting').length
  return [`${alerting} alerting`, `${rules.length - alerting} recording`, ...(broken === 0 ? [] : [`${broken} cannot be evaluated`])].join(' · ')
}

const isOwn = ({ name, file }: Pick<ListedRuleGroup, 'name' | 'file'>): boolean => name === OWN_GROUP.name && file === OWN_GROUP.file

function wants(rule: ListedRule, group: ListedRuleGroup, find: string, state: string | undefined): boolean {
  if (state === 'own' && !isOwn(group)) return false
  if (state === 'broken' && rule.health !== 'err') return false
  if ((state === 'firing' || state === 'pending') && (rule.type !== 'alerting' || rule.state !== state)) return false
  return [rule.name, rule.query, group.name, group.file, ...Object.entries(rule.labels).map(([name, value]) => `${name}=${value}`)].join('\n').toLowerCase().includes(find.toLowerCase())
}

function Groups(props: { readonly groups: readonly ListedRuleGroup[]; readonly own: readonly ListedOwnRule[]; readonly find: string; readonly state: string | undefined }): JSX.Element {
  const { groups, own, find, state } = props
  const restore = useAction<ListedOwnRule>({ run: ({ id, definition }) => saveRule(id, definition, true), routes: RULE_ROUTES, failed: 'The rule was not restored' })
  const remove = useAction<ListedOwnRule>({
    run: ({ id }) => removeRule(id),
    routes: RULE_ROUTES,
    done: (rule) => ({ text: `The rule ${rule.alert} is removed; its alerts are over.`, undo: () => void restore.run(rule) }),
    failed: 'The rule was not removed',
  })
  const found = groups.flatMap((group) => {
    const rules = group.rules.filter((rule) => wants(rule, group, find, state))
    return rules.length === 0 ? [] : [{ ...group, rules }]
  })
  // Those that were made here come first: they are the ones that can be changed here.
  const sorted = found.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)))
  if (sorted.length === 0) {
    return (
      <Panel>
        {groups.length === 0 ? (
          <Nothing title="There are no rules yet">
            <span>
              <AppLink to="/alerts/rules/new">Make one here</AppLink>, or name files of Prometheus rules under <code>rules</code> in andon.yaml.
            </span>
          </Nothing>
        ) : (
          <Nothing title="No rule matches">Take a filter away to see all.</Nothing>
        )}
      </Panel>
    )
  }
  return (
    <>
      {sorted.map((group) => (
        <Panel
          key={`${group.file} ${group.name}`}
          flush
          title={isOwn(group) ? 'Made here' : group.name}
          aside={
            <>
              {!isOwn(group) && <span className="mono">{group.file}</span>}
              <span>every {group.interval} s</span>
            </>
          }
        >
          <ul className="rules">
            {group.rules.map((rule) => {
              const mine = isOwn(group) ? own.find(({ alert }) => alert === rule.name) : undefined
              return <RuleRow key={`${rule.name} ${rule.query}`} rule={rule} own={mine} busy={remove.busy} onRemove={() => mine !== undefined && void remove.run(mine)} />
            })}
          </ul>
        </Panel>
      ))}
    </>
  )
}
