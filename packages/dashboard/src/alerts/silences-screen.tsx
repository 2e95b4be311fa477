import type { ListedSilence } from '@andon/model'
import { Button } from '@mantine/core'
import { useSearch } from '@tanstack/react-router'
import { type JSX, useMemo, useState } from 'react'
import { ALERTS_PATH, type AlertsAnswer, SILENCES_PATH, type SilencesAnswer } from '../api/alerts.ts'
import { useSilenceActions } from '../api/silence-actions.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { ConfirmButton, Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { type Matcher, matches, matcherText, parseMatchers } from '../ui/matchers.ts'
import { PageHead, Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { SilenceForm, type WantedSilence } from '../ui/silence-form.tsx'
import { lastedText } from '../ui/time-text.ts'
import { picksReader } from '../ui/url-picks.ts'
import { useNow, usePatch } from '../ui/use-shell.ts'
import { When } from '../ui/when.tsx'
import { AlertPages } from './pages.tsx'
import './alerts.css'

const readSearch = picksReader({ new: [], duration: [] })

/** The matchers that a link asks for, such as one of a message about an alert. */
function matchersOf(raw: Readonly<Record<string, unknown>>): readonly Matcher[] {
  const given = raw['matcher']
  const texts: readonly unknown[] = Array.isArray(given) ? given : [given]
  return texts.flatMap((text) => (typeof text === 'string' ? (parseMatchers(text) ?? []) : []))
}

/** Which alerts are not told, until when, why, and by whom. */
export function SilencesScreen(): JSX.Element {
  const raw = useSearch({ strict: false })
  const search = useMemo(() => readSearch(raw), [raw])
  const patch = usePatch()
  const query = useLive<SilencesAnswer>(SILENCES_PATH)
  const alerts = useLive<AlertsAnswer>(ALERTS_PATH)
  const [edited, setEdited] = useState<ListedSilence | null>(null)
  const actions = useSilenceActions()
  const active = alerts.data?.alerts ?? []
  const count = (matchers: readonly Matcher[]): number => active.filter(({ labels }) => matches(matchers, labels)).length
  const isNew = search.new !== undefined
  const close = (): void => {
    setEdited(null)
    if (isNew) patch({ new: undefined, duration: undefined, matcher: undefined }, true)
  }
  const send = async (wanted: WantedSilence): Promise<void> => {
    if (await actions.create.run({ ...wanted, ...(edited === null ? {} : { id: edited.id }) })) close()
  }
  return (
    <div className="stack">
      <PageHead
        title="Silences"
        note="Alerts go on firing and stand in their incidents; nobody is told of them."
        actions={
          <Button size="xs" leftSection={<Icon name="plus" size={14} />} onClick={() => patch({ new: '1' }, true)}>
            New silence
          </Button>
        }
      />
      <AlertPages silences={query.data?.silences.filter(({ state }) => state === 'active').length ?? 0} />
      <Answer asked={query}>
        {({ silences }) => (
          <>
            <Part title="Active" silences={silences.filter(({ state }) => state === 'active')} count={count} busy={actions.expire.busy} onEdit={setEdited} onExpire={(silence) => void actions.expire.run(silence)}>
              <Nothing title="Nothing is silenced">A silence keeps people from being called about what they know already: one click on “Silence” beside an alert makes one.</Nothing>
            </Part>
            {silences.some(({ state }) => state === 'pending') && (
              <Part title="Not yet begun" silences={silences.filter(({ state }) => state === 'pending')} count={count} busy={actions.expire.busy} onEdit={setEdited} onExpire={(silence) => void actions.expire.run(silence)} />
            )}
            {silences.some(({ state }) => state === 'expired') && <Expired silences={silences.filter(({ state }) => state === 'expired')} onAgain={setEdited} />}
          </>
        )}
      </Answer>
      <Dialog title={edited === null ? 'New silence' : edited.state === 'expired' ? 'Silence again' : 'Change the silence'} open={isNew || edited !== null} onClose={close}>
        <SilenceForm
          key={edited?.id ?? 'new'}
          initial={edited === null ? { matchers: matchersOf(raw), ...(search.duration === undefined ? {} : { length: search.duration }) } : initialOf(edited)}
          count={count}
          busy={actions.create.busy}
          submit={edited === null || edited.state === 'expired' ? 'Silence' : 'Save'}
          onCancel={close}
          onSubmit={(wanted) => void send(wanted)}
        />
      </Dialog>
    </div>
  )
}

const initialOf = ({ matchers, comment, startsAt, endsAt, state }: ListedSilence): { matchers: readonly Matcher[]; comment: string; startsAt?: number; endsAt?: number } => (state === 'expired' ? { matchers, comment } : { matchers, comment, startsAt, endsAt })

interface PartProps {
  readonly title: string
  readonly silences: readonly ListedSilence[]
  readonly count: (matchers: readonly Matcher[]) => number
  readonly busy: boolean
  readonly onEdit: (silence: ListedSilence) => void
  readonly onExpire: (silence: ListedSilence) => void
  readonly children?: JSX.Element
}

function Part({ title, silences, count, busy, onEdit, onExpire, children }: PartProps): JSX.Element {
  const now = useNow(10_000)
  return (
    <Panel flush title={title} aside={<span>{silences.length}</span>}>
      {silences.length === 0 && children}
      <ul className="silences">
        {silences.map((silence) => {
          const silenced = count(silence.matchers)
          return (
            <li key={silence.id}>
              <div className="silence-what">
                <Matchers matchers={silence.matchers} />
                <p>{silence.comment}</p>
                <p className="dim">
                  {silence.createdBy}, <When time={silence.startsAt} /> · {matchText(silenced, silence.state)}
                </p>
              </div>
              <div className="silence-end">
                <b className="num">{silence.state === 'pending' ? `begins in ${lastedText(silence.startsAt - now)}` : `${lastedText(silence.endsAt - now)} left`}</b>
                <small className="dim">
                  until <When time={silence.endsAt} />
                </small>
              </div>
              <div className="silence-tools">
                <Button size="xs" variant="default" onClick={() => onEdit(silence)} leftSection={<Icon name="edit" size={13} />}>
                  Change
                </Button>
                <ConfirmButton
                  title="End this silence?"
                  text={silenced === 0 ? 'No alert that is active now is silenced by it.' : `${silenced === 1 ? '1 alert that fires' : `${silenced} alerts that fire`} will be told at once.`}
                  confirm="End it"
                  danger={silenced > 0}
                  busy={busy}
                  onConfirm={() => onExpire(silence)}
                >
                  End
                </ConfirmButton>
              </div>
            </li>
          )
        })}
      </ul>
    </Panel>
  )
}

function matchText(count: number, state: ListedSilence['state']): string {
  if (count === 0) return 'no active alert matches'
  return `${state === 'active' ? 'silences' : 'would silence'} ${count === 1 ? '1 active alert' : `${count} active alerts`}`
}

function Matchers({ matchers }: { readonly matchers: readonly Matcher[] }): JSX.Element {
  return (
    <ul className="labels" aria-label="Matchers">
      {matchers.map((matcher) => (
        <li key={matcherText(matcher)}>
          <span>{matcherText(matcher)}</span>
        </li>
      ))}
    </ul>
  )
}

const EXPIRED_SHOWN = 20

function Expired({ silences, onAgain }: { readonly silences: readonly ListedSilence[]; readonly onAgain: (silence: ListedSilence) => void }): JSX.Element {
  return (
    <Panel flush title="Ended" aside={<span>In the last five days</span>}>
      <ul className="silences ended">
        {silences.slice(0, EXPIRED_SHOWN).map((silence) => (
          <li key={silence.id}>
            <div className="silence-what">
              <Matchers matchers={silence.matchers} />
              <p className="dim">
                {silence.comment} · {silence.createdBy}
              </p>
            </div>
            <div className="silence-end">
              <small className="dim">
                ended <When time={silence.endsAt} ago />
              </small>
            </div>
            <div className="silence-tools">
              <Button size="xs" variant="subtle" onClick={() => onAgain(silence)}>
                Silence again
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
