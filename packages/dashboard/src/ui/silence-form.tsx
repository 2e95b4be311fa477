import type { Labels } from '@andon/model'
import { Button, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { type JSX, useState } from 'react'
import { type Matcher, matchersProblem, matchersText, parseMatchers } from './matchers.ts'
import { parseTypedTime, resolveTime } from './time-range.ts'
import { timeText } from './time-text.ts'
import { useShell } from './use-shell.ts'
import './ui.css'

/** A silence as a person wants it. */
export interface WantedSilence {
  readonly matchers: readonly Matcher[]
  /** Milliseconds since the Unix epoch. */
  readonly startsAt: number
  readonly endsAt: number
  readonly comment: string
}

export interface SilenceFormProps {
  readonly initial: { readonly matchers: readonly Matcher[]; readonly comment?: string; readonly startsAt?: number; readonly endsAt?: number; readonly length?: string }
  /** How many alerts match now, told beside the matchers; undefined where it is not known. */
  readonly count?: (matchers: readonly Matcher[]) => number
  readonly busy: boolean
  readonly submit: string
  readonly onSubmit: (wanted: WantedSilence) => void
  readonly onCancel: () => void
}

const HOUR = 3_600_000
const LENGTHS: readonly { readonly value: string; readonly label: string; readonly ms: number }[] = [
  { value: '30m', label: '30 min', ms: HOUR / 2 },
  { value: '1h', label: '1 h', ms: HOUR },
  { value: '2h', label: '2 h', ms: 2 * HOUR },
  { value: '8h', label: '8 h', ms: 8 * HOUR },
  { value: '1d', label: '1 d', ms: 24 * HOUR },
  { value: '7d', label: '7 d', ms: 7 * 24 * HOUR },
]

/** The labels of an alert that a silence should name: what tells it apart, without what changes at every release. */
export function matchersFor(labels: Labels): Matcher[] {
  const passing: ReadonlySet<string> = new Set(['instance', 'service_instance_id', 'pod', 'host_name', 'version', 'service_version', 'severity', 'prometheus'])
  return Object.entries(labels)
    .filter(([name, value]) => value !== '' && !passing.has(name))
    .map(([name, value]) => ({ name, operator: '=', value }))
}

/** Which alerts are not told, for how long, and why. */
export function SilenceForm(props: SilenceFormProps): JSX.Element {
  const { initial, count, busy, submit, onSubmit, onCancel } = props
  const { zone } = useShell()
  const [typed, setTyped] = useState(matchersText(initial.matchers))
  const [comment, setComment] = useState(initial.comment ?? '')
  const [length, setLength] = useState(initial.endsAt !== undefined ? 'until' : (LENGTHS.find(({ value }) => value === initial.length)?.value ?? '2h'))
  const [until, setUntil] = useState(initial.endsAt === undefined ? '' : timeText(initial.endsAt, zone))
  const [tried, setTried] = useState(false)
  const matchers = parseMatchers(typed)
  const problem = matchersProblem(matchers)
  const end = endOf(length, until, zone)
  const lateProblem = end === null ? 'Write a time such as 2026-01-31 13:00.' : end <= Date.now() ? 'The end must lie in the future.' : null
  const commentProblem = comment.trim() === '' ? 'Say why, for who finds this silence later.' : null
  const send = (event: { preventDefault(): void }): void => {
    event.preventDefault()
    setTried(true)
    if (matchers === null || problem !== null || end === null || lateProblem !== null || commentProblem !== null) return
    onSubmit({ matchers, startsAt: initial.startsAt ?? Date.now(), endsAt: end, comment: comment.trim() })
  }
  const matching = count !== undefined && matchers !== null && problem === null ? count(matchers) : undefined
  return (
    <form className="form" onSubmit={send}>
      <Textarea
        label="Alerts with these labels"
        description={'name="value", separated by commas; also != =~ !~'}
        size="xs"
        rows={3}
        className="mono-input"
        value={typed}
        error={typed.trim() !== '' || tried ? problem : null}
        spellCheck={false}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {matching !== undefined && (
        <p className={matching === 0 ? 'form-note warn' : 'form-note'} role="status">
          {matching === 0 ? 'No alert that is active now matches.' : matching === 1 ? '1 active alert will be silenced.' : `${matching} active alerts will be silenced.`}
        </p>
      )}
      <div>
        <p className="form-label" id="silence-length">
          For how long
        </p>
        <SegmentedControl size="xs" fullWidth aria-labelledby="silence-length" value={length} onChange={setLength} data={[...LENGTHS.map(({ value, label }) => ({ value, label })), { value: 'until', label: 'Until …' }]} />
        {length === 'until' ? (
          <TextInput mt={8} size="xs" label={`Until (${zone === 'utc' ? 'UTC' : 'local time'})`} placeholder="2026-01-31 13:00" value={until} error={until !== '' || tried ? lateProblem : null} onChange={(event) => setUntil(event.currentTarget.value)} />
        ) : (
          end !== null && <p className="form-note">Ends at {timeText(end, zone).slice(0, 16)}{zone === 'utc' ? ' UTC' : ''}; it is told again from then on if it still fires.</p>
        )}
      </div>
      <TextInput label="Why" size="xs" data-autofocus placeholder="Database is being moved, ticket 123" value={comment} error={tried ? commentProblem : null} onChange={(event) => setComment(event.currentTarget.value)} />
      <div className="form-end">
        <Button size="xs" variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="xs" type="submit" loading={busy}>
          {submit}
        </Button>
      </div>
    </form>
  )
}

function endOf(length: string, until: string, zone: 'local' | 'utc'): number | null {
  const chosen = LENGTHS.find(({ value }) => value === length)
  if (chosen !== undefined) return Math.ceil((Date.now() + chosen.ms) / 60_000) * 60_000
  const text = parseTypedTime(until, zone)
  return text === null ? null : resolveTime(text, Date.now())
}
