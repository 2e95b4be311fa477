import { Autocomplete, NativeSelect, Textarea, TextInput } from '@mantine/core'
import type { JSX } from 'react'
import { METRIC_NAMES_PATH } from '../api/rules.ts'
import { useOnce } from '../api/use-live.ts'
import { AGGREGATIONS, OPERATOR_TEXT, OPERATORS, type RuleForm } from './rule-definition.ts'

type Problems = Readonly<Partial<Record<keyof RuleForm, string>>>

interface FieldsProps {
  readonly form: RuleForm
  readonly set: (change: Partial<RuleForm>) => void
  readonly problems: Problems
}

/** What is said of a field stands below it, so that fields of a row align. */
const ORDER: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error']

interface FieldProps extends FieldsProps {
  readonly name: keyof RuleForm
  readonly label: string
  readonly placeholder?: string
  readonly description?: string
  readonly className?: string
}

function Field({ form, set, problems, name, label, ...more }: FieldProps): JSX.Element {
  return <TextInput size="xs" inputWrapperOrder={ORDER} label={label} value={form[name]} error={problems[name]} onChange={(event) => set({ [name]: event.currentTarget.value })} {...more} />
}

/** A metric held against a number. */
export function SimpleFields(props: FieldsProps): JSX.Element {
  const { form, set, problems } = props
  const names = useOnce<{ readonly data: readonly string[] }>(METRIC_NAMES_PATH)
  return (
    <div className="fields">
      <Autocomplete size="xs" label="Metric" placeholder="http.server.request.duration" className="wide" value={form.metric} error={problems.metric} onChange={(metric) => set({ metric })} data={[...(names.data?.data ?? [])]} limit={60} />
      <NativeSelect size="xs" label="Of its values" value={form.aggregation} onChange={(event) => set({ aggregation: event.currentTarget.value })} data={AGGREGATIONS.map((value) => ({ value, label: value === '' ? 'what suits it' : value }))} />
      <Field {...props} name="window" label="Within" placeholder="5m" />
      <NativeSelect size="xs" label="Is" className="wide" value={form.operator} onChange={(event) => set({ operator: OPERATORS.find((one) => one === event.currentTarget.value) ?? 'gt' })} data={OPERATORS.map((value) => ({ value, label: OPERATOR_TEXT[value] }))} />
      <Field {...props} name="threshold" label="Threshold" placeholder="0.5" description="In the unit of the metric" />
      <Field {...props} name="recovery" label="Recovers at" placeholder="as the threshold" description="So that it does not flap" />
      <Field {...props} name="tags" label="Only where" placeholder="service=kanban, route=/api/tasks" className="wide" />
      <Field {...props} name="by" label="One alert per" placeholder="service, route" className="wide" description="Labels; each series by itself where empty" />
    </div>
  )
}

export interface PromqlFieldsProps {
  readonly form: RuleForm
  readonly set: (change: Partial<RuleForm>) => void
  /** What is wrong with the expression. */
  readonly problem: string | null
  /** Whether it compares with anything. */
  readonly compares: boolean
}

/** An expression; each element that it gives is an alert. */
export function PromqlFields({ form, set, problem, compares }: PromqlFieldsProps): JSX.Element {
  return (
    <div className="fields">
      <Textarea
        size="xs"
        label="Expression"
        inputWrapperOrder={ORDER}
        description="It fires for each element that this gives"
        className="wide mono-input full"
        rows={5}
        spellCheck={false}
        placeholder={'sum by (service_name) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[5m])) > 1'}
        value={form.expr}
        error={problem}
        onChange={(event) => set({ expr: event.currentTarget.value })}
      />
      {problem === null && !compares && <p className="form-note warn">It compares with nothing: it fires as long as there is any value.</p>}
    </div>
  )
}

/** What holds for both kinds of rules. */
export function SharedFields(props: FieldsProps & { readonly isNew: boolean }): JSX.Element {
  const { form, set } = props
  return (
    <div className="fields">
      <Field {...props} name="alert" label="Name" placeholder="TasksAreSlow" className="wide" />
      <NativeSelect
        size="xs"
        label="Severity"
        className="wide"
        value={form.severity}
        onChange={(event) => set({ severity: event.currentTarget.value })}
        data={[
          { value: 'critical', label: 'critical: calls people' },
          { value: 'warning', label: 'warning: a ticket' },
          { value: 'info', label: 'info: shown only' },
        ]}
      />
      <Field {...props} name="for" label="Must hold for" placeholder="1m" className="wide" />
      <Field {...props} name="keepFiringFor" label="Fires on for" placeholder="0s" className="wide" description="After it holds no more" />
      <Field {...props} name="summary" label="Summary" placeholder="{{ $labels.service_name }} creates tasks slowly: {{ $value | humanizeDuration }}" className="wide full" />
      <Textarea size="xs" label="Description" className="wide full" rows={2} value={form.description} onChange={(event) => set({ description: event.currentTarget.value })} />
      <Field {...props} name="runbookUrl" label="Runbook" placeholder="https://wiki.example/slow-tasks" className="wide" />
      <Field {...props} name="labels" label="Further labels" placeholder="team=web" className="wide" />
    </div>
  )
}
