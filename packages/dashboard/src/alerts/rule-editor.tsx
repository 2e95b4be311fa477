import { Button, NativeSelect, SegmentedControl } from '@mantine/core'
import { type JSX, useMemo, useState } from 'react'
import { type BacktestResult, backtestRule, RULE_ROUTES, saveRule } from '../api/rules.ts'
import { ApiError } from '../api/client.ts'
import { Panel } from '../ui/panel.tsx'
import { Failed, Loading } from '../ui/states.tsx'
import { useAction } from '../ui/use-action.ts'
import { Backtest } from './backtest.tsx'
import { PromqlFields, SharedFields, SimpleFields } from './rule-fields.tsx'
import { RulePreview } from './rule-preview.tsx'
import { definitionOf, idOf, problemsOf, type RuleForm } from './rule-definition.ts'
import { readExpression } from './watched.ts'

type Tried = { readonly kind: 'never' | 'running' } | { readonly kind: 'done'; readonly of: string; readonly result: BacktestResult } | { readonly kind: 'failed'; readonly of: string; readonly error: ApiError }

/** The form of a rule with its picture, its backtest, and the button that saves what was tested. */
export function RuleEditor({ initial, isNew, onDone }: { readonly initial: RuleForm; readonly isNew: boolean; readonly onDone: () => void }): JSX.Element {
  const [form, setForm] = useState(initial)
  const [days, setDays] = useState('14')
  const [tried, setTried] = useState<Tried>({ kind: 'never' })
  const [told, setTold] = useState(false)
  const set = (change: Partial<RuleForm>): void => setForm((before) => ({ ...before, ...change }))
  const problems = useMemo(() => problemsOf(form), [form])
  const read = useMemo(() => (form.kind === 'promql' && form.expr.trim() !== '' ? readExpression(form.expr) : null), [form])
  const exprProblem = form.kind !== 'promql' ? null : form.expr.trim() === '' ? 'What must hold?' : read !== null && 'problem' in read ? read.problem : null
  const isRight = Object.keys(problems).length === 0 && exprProblem === null
  const definition = definitionOf(form)
  const now = JSON.stringify(definition)
  const isTested = (tried.kind === 'done' || tried.kind === 'failed') && tried.of === now
  const save = useAction<null>({
    run: () => saveRule(idOf(form), definition, isNew),
    routes: RULE_ROUTES,
    done: () => ({ text: isNew ? `The rule ${form.alert} is evaluated from now on.` : `The rule ${form.alert} is changed.` }),
    failed: 'The rule was not saved',
  })
  const test = async (): Promise<void> => {
    setTold(true)
    if (!isRight) return
    setTried({ kind: 'running' })
    try {
      const result = await backtestRule({ ...definition, id: idOf(form) }, Number(days))
      setTried(result === undefined ? { kind: 'never' } : { kind: 'done', of: now, result })
    } catch (error) {
      setTried({ kind: 'failed', of: now, error: error instanceof ApiError ? error : new ApiError(0, 'failed', String(error), '') })
    }
  }
  // A rule that the server cannot read is not saved; one that could not be tried for another reason may be.
  const mayBeSaved = isRight && isTested && !(tried.kind === 'failed' && tried.error.status === 400)
  return (
    <div className="rule-editor">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          void test()
        }}
      >
        <Panel
          title="What is watched"
          aside={
            <SegmentedControl
              size="xs"
              aria-label="How the rule is written"
              value={form.kind}
              onChange={(kind) => set({ kind: kind === 'promql' ? 'promql' : 'simple' })}
              data={[
                { value: 'simple', label: 'Threshold' },
                { value: 'promql', label: 'PromQL' },
              ]}
            />
          }
        >
          {form.kind === 'simple' ? <SimpleFields form={form} set={set} problems={told ? problems : {}} /> : <PromqlFields form={form} set={set} problem={told || form.expr !== '' ? exprProblem : null} compares={read === null || 'problem' in read || read.compares} />}
        </Panel>
        <Panel title="What is told">
          <SharedFields form={form} set={set} problems={told ? problems : {}} isNew={isNew} />
        </Panel>
        <div className="editor-end">
          <Button type="submit" size="sm" variant={isTested ? 'default' : 'filled'} loading={tried.kind === 'running'}>
            {isTested ? 'Try it again' : 'Try it'}
          </Button>
          <NativeSelect size="sm" aria-label="How far back it is tried" value={days} onChange={(event) => setDays(event.currentTarget.value)} data={['1', '3', '7', '14', '30'].map((value) => ({ value, label: value === '1' ? 'on the last day' : `on the last ${value} days` }))} />
          <Button
            size="sm"
            variant={isTested ? 'filled' : 'default'}
            disabled={!mayBeSaved}
            loading={save.busy}
            onClick={async () => {
              if (await save.run(null)) onDone()
            }}
          >
            {isNew ? 'Save the rule' : 'Save the change'}
          </Button>
          <Button size="sm" variant="subtle" onClick={onDone}>
            Cancel
          </Button>
          {!mayBeSaved && <p className="form-note">{told && !isRight ? 'Some fields need another look.' : 'It can be saved once it was tried as it stands.'}</p>}
        </div>
      </form>
      <div className="stack">
        <RulePreview form={form} />
        <Panel title="Backtest" {...(tried.kind === 'done' && tried.of !== now ? { aside: <span className="warn-text">of the rule before the last change</span> } : {})}>
          {tried.kind === 'never' && <p className="dim">Nothing was tried yet. The rule is evaluated over the stored past as it will be live, and what it would have told stands here.</p>}
          {tried.kind === 'running' && (
            <>
              <Loading rows={3} height={26} />
              <p className="dim">Evaluating; many days of a heavy expression may take a minute.</p>
            </>
          )}
          {tried.kind === 'failed' && <Failed error={{ message: tried.error.message, hint: tried.error.hint, code: tried.error.code }} retry={() => void test()} />}
          {tried.kind === 'done' && <Backtest result={tried.result} />}
        </Panel>
      </div>
    </div>
  )
}
