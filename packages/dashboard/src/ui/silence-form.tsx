import type { Labels } from '@andon/model'
import { Button, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { type JSX, useState } from 'react'
import { type Matcher, matchersProblem, matchersText, parseMatchers } from './matchers.ts'
import { parseTypedTime, resolveTime, type Zone } from './time-range.ts'
import { timeText } from './time-text.ts'
import { useNow, useShell } from './use-shell.ts'
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

interface Typed {
  readonly matchers: string
  readonly comment: string
  readonly length: string
  readonly until: string
}

/** What was typed as it will be sent, and what is wrong with it. */
interface Checked {
  readonly matchers: readonly Matcher[] | null
  readonly end: number | null
  readonly wrong: { readonly matchers: string | null; readonly end: string | null; readonly comment: string | null }
}

function checked({ matchers: text, comment, length, until }: Typed, zone: Zone, now: number): Checked {
  const matchers = parseMatchers(text)
  const end = endOf(length, until, zone, now)
  const late = end === null ? 'Write a time such as 2026-01-31 13:00.' : end <= now ? 'The end must lie in the future.' : null
  return { matchers, end, wrong: { matchers: matchersProblem(matchers), end: late, comment: comment.trim() === '' ? 'Say why, for who finds this silence later.' : null } }
}

function firstTyped({ matchers, comment = '', endsAt, length }: SilenceFormProps['initial'], zone: Zone): Typed {
  const chosen = LENGTHS.find(({ value }) => value === length)?.value ?? '2h'
  return { matchers: matchersText(matchers), comment, length: endsAt === undefined ? chosen : 'until', until: endsAt === undefined ? '' : timeText(endsAt, zone) }
}

/** Which alerts are not told, for how long, and why. */
export function SilenceForm(props: SilenceFormProps): JSX.Element {
  const { initial, count, busy, submit, onSubmit, onCancel } = props
  const { zone } = useShell()
  const now = useNow(5000)
  const [typed, setTyped] = useState(() => firstTyped(initial, zone))
  const [tried, setTried] = useState(false)
  const set = (change: Partial<Typed>): void => setTyped((before) => ({ ...before, ...change }))
  const { matchers, end, wrong } = checked(typed, zone, now)
  const send = (event: { preventDefault(): void }): void => {
    event.preventDefault()
    setTried(true)
    if (matchers === null || end === null || Object.values(wrong).some((problem) => problem !== null)) return
    onSubmit({ matchers, startsAt: initial.startsAt ?? now, endsAt: end, comment: typed.comment.trim() })
  }
  return (
    <form className="form" onSubmit={send}>
      <Textarea
        label="Alerts with these labels"
        description={'name="value", separated by commas; also != =~ !~'}
        size="xs"
        rows={3}
        className="mono-input"
        value={typed.matchers}
        error={typed.matchers.trim() !== '' || tried ? wrong.matchers : null}
        spellCheck={false}
        onChange={(event) => set({ matchers: event.currentTarget.value })}
      />
      {count !== undefined && matchers !== null && wrong.matchers === null && <Matching count={count(matchers)} />}
      <Length typed={typed} set={set} end={end} problem={typed.until !== '' || tried ? wrong.end : null} />
      <TextInput label="Why" size="xs" data-autofocus placeholder="Database is being moved, ticket 123" value={typed.comment} error={tried ? wrong.comment : null} onChange={(event) => set({ comment: event.currentTarget.value })} />
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

function Matching({ count }: { readonly count: number }): JSX.Element {
  return (
    <p className={count === 0 ? 'form-note warn' : 'form-note'} role="status">
      {count === 0 ? 'No alert that is active now matches.' : count === 1 ? '1 active alert will be silenced.' : `${count} active alerts will be silenced.`}
    </p>
  )
}

function Length({ typed, set, end, problem }: { readonly typed: Typed; readonly set: (change: Partial<Typed>) => void; readonly end: number | null; readonly problem: string | null }): JSX.Element {
  const { zone } = useShell()
  return (
    <div>
      <p className="form-label" id="silence-length">
        For how long
      </p>
      <SegmentedControl size="xs" fullWidth aria-labelledby="silence-length" value={typed.length} onChange={(length) => set({ length })} data={[...LENGTHS.map(({ value, label }) => ({ value, label })), { value: 'until', label: 'Until …' }]} />
      {typed.length === 'until' && <TextInput mt={8} size="xs" label={`Until (${zone === 'utc' ? 'UTC' : 'local time'})`} placeholder="2026-01-31 13:00" value={typed.until} error={problem} onChange={(event) => set({ until: event.currentTarget.value })} />}
      {typed.length !== 'until' && end !== null && (
        <p className="form-note">
          Ends at {timeText(end, zone).slice(0, 16)}
          {zone === 'utc' ? ' UTC' : ''}; it is told again from then on if it still fires.
        </p>
      )}
    </div>
  )
}

function endOf(length: string, until: string, zone: Zone, now: number): number | null {
  const chosen = LENGTHS.find(({ value }) => value === length)
  if (chosen !== undefined) return Math.ceil((now + chosen.ms) / 60_000) * 60_000
  const text = parseTypedTime(until, zone)
  return text === null ? null : resolveTime(text, now)
}
