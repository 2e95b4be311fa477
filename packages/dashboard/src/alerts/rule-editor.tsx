import type { BacktestResult, RuleDefinition } from '@andon/model'
import { Button, NativeSelect, SegmentedControl } from '@mantine/core'
import { type JSX, useMemo, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { backtestRule, RULE_ROUTES, saveRule } from '../api/rules.ts'
import { Panel } from '../ui/panel.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { useAction } from '../ui/use-action.ts'
import { Backtest } from './backtest.tsx'
import { PromqlFields, SharedFields, SimpleFields } from './rule-fields.tsx'
import { RulePreview } from './rule-preview.tsx'
import { definitionOf, idOf, problemsOf, type RuleForm } from './rule-definition.ts'
import { readExpression } from './watched.ts'

type Tried = { readonly kind: 'never' | 'running' } | { readonly kind: 'done'; readonly of: string; readonly result: BacktestResult } | { readonly kind: 'failed'; readonly of: string; readonly error: ApiError }

/** What is wrong with the expression of a form; null where nothing is, or where it has none. */
function expressionProblem(form: RuleForm): { readonly problem: string | null; readonly compares: boolean } {
  if (form.kind !== 'promql') return { problem: null, compares: true }
  if (form.expr.trim() === '') return { problem: 'What must hold?', compares: true }
  const read = readExpression(form.expr)
  return 'problem' in read ? { problem: read.problem, compares: true } : { problem: null, compares: read.compares }
}

interface Trial {
  readonly tried: Tried
  /** Whether what was tried is the rule as it stands. */
  readonly isTested: boolean
  readonly run: (definition: RuleDefinition, id: string, days: number) => Promise<void>
}

/** Backtests of a rule, and of which wording the last one was. */
function useTrial(definition: RuleDefinition): Trial {
  const [tried, setTried] = useState<Tried>({ kind: 'never' })
  const now = JSON.stringify(definition)
  const run = async (tested: RuleDefinition, id: string, days: number): Promise<void> => {
    setTried({ kind: 'running' })
    const of = JSON.stringify(tested)
    try {
      const result = await backtestRule({ ...tested, id }, days)
      setTried(result === undefined ? { kind: 'never' } : { kind: 'done', of, result })
    } catch (error) {
      setTried({ kind: 'failed', of, error: error instanceof ApiError ? error : new ApiError(0, 'failed', String(error), '') })
    }
  }
  return { tried, isTested: 'of' in tried && tried.of === now, run }
}

/** The form of a rule with its picture, its backtest, and the button that saves what was tested. */
export function RuleEditor({ initial, isNew, onDone }: { readonly initial: RuleForm; readonly isNew: boolean; readonly onDone: () => void }): JSX.Element {
  const [form, setForm] = useState(initial)
  const [days, setDays] = useState('14')
  const [told, setTold] = useState(false)
  const set = (change: Partial<RuleForm>): void => setForm((before) => ({ ...before, ...change }))
  const problems = useMemo(() => problemsOf(form), [form])
  const expression = useMemo(() => expressionProblem(form), [form])
  const isRight = Object.keys(problems).length === 0 && expression.problem === null
  const definition = definitionOf(form)
  const trial = useTrial(definition)
  const save = useAction<null>({
    run: () => saveRule(idOf(form), definition, isNew),
    routes: RULE_ROUTES,
    done: () => ({ text: isNew ? `The rule ${form.alert} is evaluated from now on.` : `The rule ${form.alert} is changed.` }),
    failed: 'The rule was not saved',
  })
  const test = (): void => {
    setTold(true)
    if (isRight) void trial.run(definition, idOf(form), Number(days))
  }
  const saveIt = async (): Promise<void> => {
    if (await save.run(null)) onDone()
  }
  return (
    <div className="rule-editor">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          test()
        }}
      >
        <Panel title="What is watched" aside={<KindPicker kind={form.kind} onPick={(kind) => set({ kind })} />}>
          {form.kind === 'simple' ? (
            <SimpleFields form={form} set={set} problems={told ? problems : {}} />
          ) : (
            <PromqlFields form={form} set={set} problem={told || form.expr !== '' ? expression.problem : null} compares={expression.compares} />
          )}
        </Panel>
        <Panel title="What is told">
          <SharedFields form={form} set={set} problems={told ? problems : {}} isNew={isNew} />
        </Panel>
        <EditorEnd isNew={isNew} isRight={isRight || !told} trial={trial} mayBeSaved={isRight && mayBeSaved(trial)} days={days} onDays={setDays} saving={save.busy} onSave={() => void saveIt()} onCancel={onDone} />
      </form>
      <div className="stack">
        <RulePreview form={form} />
        <Panel title="Backtest" {...('of' in trial.tried && !trial.isTested ? { aside: <span className="warn-text">of the rule before the last change</span> } : {})}>
          <Outcome tried={trial.tried} onRetry={test} />
        </Panel>
      </div>
    </div>
  )
}

/** A rule that the server cannot read is not saved; one that could not be tried for another reason may be. */
const mayBeSaved = ({ tried, isTested }: Trial): boolean => isTested && !(tried.kind === 'failed' && tried.error.status === 400)

function KindPicker({ kind, onPick }: { readonly kind: RuleForm['kind']; readonly onPick: (kind: RuleForm['kind']) => void }): JSX.Element {
  return (
    <SegmentedControl
      size="xs"
      aria-label="How the rule is written"
      value={kind}
      onChange={(chosen) => onPick(chosen === 'promql' ? 'promql' : 'simple')}
      data={[
        { value: 'simple', label: 'Threshold' },
        { value: 'promql', label: 'PromQL' },
      ]}
    />
  )
}

interface EditorEndProps {
  readonly isNew: boolean
  readonly isRight: boolean
  readonly trial: Trial
  readonly mayBeSaved: boolean
  readonly days: string
  readonly onDays: (days: string) => void
  readonly saving: boolean
  readonly onSave: () => void
  readonly onCancel: () => void
}

function EditorEnd({ isNew, isRight, trial, mayBeSaved: may, days, onDays, saving, onSave, onCancel }: EditorEndProps): JSX.Element {
  const { tried, isTested } = trial
  return (
    <div className="editor-end">
      <Button type="submit" size="sm" variant={isTested ? 'default' : 'filled'} loading={tried.kind === 'running'}>
        {isTested ? 'Try it again' : 'Try it'}
      </Button>
      <NativeSelect
        size="sm"
        aria-label="How far back it is tried"
        value={days}
        onChange={(event) => onDays(event.currentTarget.value)}
        data={['1', '3', '7', '14', '30'].map((value) => ({ value, label: value === '1' ? 'on the last day' : `on the last ${value} days` }))}
      />
      <Button size="sm" variant={isTested ? 'filled' : 'default'} disabled={!may} loading={saving} onClick={onSave}>
        {isNew ? 'Save the rule' : 'Save the change'}
      </Button>
      <Button size="sm" variant="subtle" onClick={onCancel}>
        Cancel
      </Button>
      {!may && <p className="form-note">{isRight ? 'It can be saved once it was tried as it stands.' : 'Some fields need another look.'}</p>}
    </div>
  )
}

function Outcome({ tried, onRetry }: { readonly tried: Tried; readonly onRetry: () => void }): JSX.Element {
  if (tried.kind === 'done') return <Backtest result={tried.result} />
  if (tried.kind === 'failed') return <Failed error={{ message: tried.error.message, hint: tried.error.hint, code: tried.error.code }} retry={onRetry} />
  if (tried.kind === 'never') return <p className="dim">Nothing was tried yet. The rule is evaluated over the stored past as it will be live, and what it would have told stands here.</p>
  return (
    <>
      <Loading rows={3} height={26} />
      <p className="dim">Evaluating; many days of a heavy expression may take a minute.</p>
    </>
  )
}
