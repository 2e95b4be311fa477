// A message as Slack shows it. Its limits are kept by construction, whatever an alert brings.
// @see https://docs.slack.dev/reference/block-kit/blocks
import type { OutMessage, SendContext } from './channel.ts'
import { alertLines, clip, factsOf, insteadText, linksOf, type MessageLinks, statusWord, titleOf } from './words.ts'

/** Of Slack, in characters unless said otherwise. */
export const SLACK_LIMITS = { blocks: 50, header: 150, text: 3000, fields: 10, field: 2000, buttons: 5, button: 75, url: 3000, alt: 2000, all: 12_000 } as const

type Block = Readonly<Record<string, unknown>>

export interface SlackBody {
  /** What a notification on a phone shows. */
  readonly text: string
  readonly blocks?: readonly Block[]
  readonly attachments?: readonly { readonly color: string; readonly blocks: readonly Block[] }[]
  readonly unfurl_links: false
  readonly unfurl_media: false
}

const COLOURS: Readonly<Record<string, string>> = { critical: '#d92d20', page: '#d92d20', error: '#d92d20', warning: '#f79009', info: '#2e90fa', none: '#2e90fa' }

/** Alerts that are named one by one; the rest is counted. */
const LINES_MAX = 20
const FALLBACK_MAX = 600
const PLAIN_MAX = 3500
const LINE_MAX = 500

/** Slack's three characters that mean something; the result may be five times as long. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Escaped text of at most `max` characters; no entity is cut in two. */
export function mrkdwn(text: string, max: number): string {
  const whole = escaped(text)
  if (whole.length <= max) return whole
  return `${whole.slice(0, Math.max(0, max - 1)).replace(/&[a-z]{0,3}$/, '').replace(/[\uD800-\uDBFF]$/, '')}…`
}

const plainText = (text: string, max: number): Block => ({ type: 'plain_text', text: clip(text === '' ? ' ' : text, max), emoji: false })

/** Puts together lines while there is room. */
function joined(lines: readonly string[], room: number): string {
  const limit = Math.min(room, SLACK_LIMITS.text)
  let text = ''
  for (const [index, line] of lines.entries()) {
    const next = `${text === '' ? '' : '\n'}• ${mrkdwn(line, LINE_MAX)}`
    const left = `\n… and ${lines.length - index} more lines`
    if (text.length + next.length + left.length > limit) return `${text}${left}`.slice(0, limit)
    text += next
  }
  return text
}

function buttons({ acknowledge, silence, open, runbook, source }: MessageLinks): Block[] {
  const wanted: readonly (readonly [string, string | undefined])[] = [
    ['Acknowledge', acknowledge],
    ['Silence 1 h', silence],
    ['Open', open],
    ['Runbook', runbook],
    ['Source', source],
  ]
  return wanted
    .flatMap(([text, url]) => (url === undefined || url.length > SLACK_LIMITS.url ? [] : [{ type: 'button', text: plainText(text, SLACK_LIMITS.button), url, action_id: `andon_${text.toLowerCase().replaceAll(/\W+/g, '_')}` }]))
    .slice(0, SLACK_LIMITS.buttons)
}

function colourOf(message: OutMessage): string {
  if (message.notification.status === 'resolved') return '#12b76a'
  const severity = factsOf(message).find(([name]) => name === 'Severity')?.[1] ?? ''
  return COLOURS[severity] ?? '#f79009'
}

/** Links come whole or not at all: no part of an address leads anywhere. */
function withinAll(blocks: readonly Block[], used: number): Block[] {
  let room = SLACK_LIMITS.all - used
  return blocks.filter((block) => {
    const size = JSON.stringify(block).length
    if (size > room) return false
    room -= size
    return true
  })
}

/**
 * The body of `chat.postMessage`, `chat.update` or an incoming webhook.
 *
 * @param picture - of the metric, where Slack can fetch it
 */
export function slackBody(message: OutMessage, links: MessageLinks, picture?: { readonly url: string; readonly alt: string }): SlackBody {
  const title = titleOf(message)
  const facts = factsOf(message).slice(0, SLACK_LIMITS.fields)
  const instead = insteadText(message)
  const fields = facts.map(([name, value]) => ({ type: 'mrkdwn', text: `*${name}*\n${mrkdwn(value, 200)}` }))
  const actions = buttons(links)
  const others: Block[] = [
    ...(fields.length > 0 ? [{ type: 'section', fields }] : []),
    ...(picture === undefined || picture.url.length > SLACK_LIMITS.url ? [] : [{ type: 'image', image_url: picture.url, alt_text: clip(picture.alt, SLACK_LIMITS.alt) }]),
    ...(actions.length > 0 ? [{ type: 'actions', elements: actions }] : []),
    { type: 'context', elements: [{ type: 'mrkdwn', text: mrkdwn([...(instead === '' ? [] : [instead]), `${statusWord(message).toLowerCase()} · group ${message.notification.groupKey}`].join(' '), 400) }] },
  ]
  const header: Block = { type: 'header', text: plainText(title, SLACK_LIMITS.header) }
  const kept = withinAll(others, FALLBACK_MAX + SLACK_LIMITS.text)
  const lines = joined(alertLines(message, LINES_MAX), SLACK_LIMITS.text)
  const section: Block[] = lines === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text: lines } }]
  const [first, ...rest] = kept
  return {
    text: mrkdwn(title, FALLBACK_MAX),
    blocks: [header],
    attachments: [{ color: colourOf(message), blocks: [...(first === undefined ? [] : [first]), ...section, ...rest] }],
    unfurl_links: false,
    unfurl_media: false,
  }
}

/** The same without blocks, for when Slack does not take them. */
function slackPlainBody(message: OutMessage, { open }: MessageLinks): SlackBody {
  const text = [titleOf(message), ...alertLines(message, LINES_MAX).map((line) => `• ${clip(line, LINE_MAX)}`), insteadText(message), open ?? ''].filter((line) => line !== '').join('\n')
  return { text: mrkdwn(text, PLAIN_MAX), unfurl_links: false, unfurl_media: false }
}

/** A line for the thread of a message that is edited. */
export function slackThreadText(message: OutMessage): string {
  return mrkdwn([titleOf(message), ...alertLines(message, LINES_MAX).map((line) => `• ${clip(line, LINE_MAX)}`)].join('\n'), PLAIN_MAX)
}

/**
 * A message as either way to Slack sends it, with its picture where that can be reached.
 *
 * @param isPlain - without blocks, because Slack did not take them
 * @param externalUrl - how people reach this server; '' where nobody said
 */
export async function slackMessage(message: OutMessage, isPlain: boolean, { picture }: Pick<SendContext, 'picture'>, externalUrl: string): Promise<SlackBody> {
  const links = linksOf(message, externalUrl)
  if (isPlain) return slackPlainBody(message, links)
  const drawn = await picture()
  return slackBody(message, links, drawn?.url === undefined ? undefined : { url: drawn.url, alt: drawn.alt })
}
