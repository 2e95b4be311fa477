import { Button } from '@mantine/core'
import type { JSX } from 'react'
import { type Channel, CHANNEL_ROUTES, CHANNELS_PATH, type ChannelsAnswer, enableChannel, testChannel } from '../api/channels.ts'
import { useLive } from '../api/use-live.ts'
import { Answer } from '../ui/answer.tsx'
import { Panel } from '../ui/panel.tsx'
import { Nothing } from '../ui/states.tsx'
import { useAction } from '../ui/use-action.ts'
import { When } from '../ui/when.tsx'

const TONES: Readonly<Record<Channel['state'], string>> = { ok: 'good', failing: 'warn', disabled: 'bad' }

/** The channels by which people are told, whether they work, and a message to try each. */
export function ChannelsPanel(): JSX.Element {
  const query = useLive<ChannelsAnswer>(CHANNELS_PATH)
  return (
    <Panel flush title="Channels" aside={<span>By which people are told</span>}>
      <Answer asked={query} bare rows={3}>
        {({ channels }) =>
          channels.length === 0 ? (
            <Nothing title="No channel is configured">
              <span>
                Nobody is told of anything until Slack, e-mail, PagerDuty or a webhook stands under <code>receivers</code> in andon.yaml.
              </span>
            </Nothing>
          ) : (
            <ul className="channels">
              {channels.map((channel) => (
                <One key={channel.name} channel={channel} />
              ))}
            </ul>
          )
        }
      </Answer>
    </Panel>
  )
}

function One({ channel }: { readonly channel: Channel }): JSX.Element {
  const { name, type, target, state, lastDeliveredAt, lastError, queued, oldestSince, fallback } = channel
  const test = useAction<string>({ run: testChannel, routes: CHANNEL_ROUTES, done: () => ({ text: `${name} has taken a test message.` }), failed: `${name} did not take the test message` })
  const enable = useAction<string>({ run: enableChannel, routes: CHANNEL_ROUTES, done: () => ({ text: `${name} tells again.` }), failed: `${name} was not enabled` })
  return (
    <li>
      <div className="channel-what">
        <b>{name}</b>
        <span className="dim">
          {type} · {target}
          {fallback !== null && ` · else ${fallback}`}
        </span>
        {lastError !== '' && <span className="warn-text">{lastError}</span>}
      </div>
      <span className={`tag ${TONES[state]}`}>{state}</span>
      <span className="dim">
        {lastDeliveredAt === null ? 'has not told anything yet' : <>told last <When time={lastDeliveredAt} ago /></>}
        {queued > 0 && oldestSince !== null && (
          <b className="warn-text">
            {' '}
            · {queued} waiting since <When time={oldestSince} />
          </b>
        )}
      </span>
      <span className="channel-tools">
        {state === 'disabled' && (
          <Button size="xs" variant="default" loading={enable.busy} onClick={() => void enable.run(name)} aria-label={`Enable ${name}`}>
            Enable
          </Button>
        )}
        <Button size="xs" variant="default" loading={test.busy} onClick={() => void test.run(name)} aria-label={`Send a test message by ${name}`}>
          Test
        </Button>
      </span>
    </li>
  )
}
