// An alert as a letter: text for those who read text, HTML for the rest.
import type { OutMessage } from './channel.ts'
import { alertLines, clip, factsOf, insteadText, type MessageLinks, statusWord, titleOf } from './words.ts'

/** Alerts that are named one by one. */
const LINES_MAX = 50
const LINE_MAX = 2000
const SUBJECT_MAX = 200

const LINK_NAMES = { open: 'Open', acknowledge: 'Acknowledge', silence: 'Silence for 1 h', runbook: 'Runbook', source: 'Source' } as const

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Without line breaks and control characters, which would end a header. */
export function subjectOf(message: OutMessage): string {
  // eslint-disable-next-line no-control-regex
  return clip(titleOf(message).replaceAll(/[\u0000-\u001F\u007F]+/g, ' '), SUBJECT_MAX)
}

function linkPairs(links: MessageLinks): [string, string][] {
  return Object.entries(LINK_NAMES).flatMap(([key, name]): [string, string][] => {
    const url: unknown = Reflect.get(links, key)
    return typeof url === 'string' ? [[name, url]] : []
  })
}

export function emailText(message: OutMessage, links: MessageLinks): string {
  const facts = factsOf(message).map(([name, value]) => `${name}: ${clip(value, 500)}`)
  const lines = alertLines(message, LINES_MAX).map((line) => `- ${clip(line, LINE_MAX)}`)
  const parts = [[titleOf(message)], facts, lines, linkPairs(links).map(([name, url]) => `${name}: ${url}`), [insteadText(message)], [`Group: ${clip(message.notification.groupKey, 500)}`]]
  return `${parts
    .map((part) => part.filter((line) => line !== '').join('\n'))
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

/** @param cid - of the picture of the metric; undefined where there is none */
export function emailHtml(message: OutMessage, links: MessageLinks, picture: { readonly cid: string; readonly alt: string } | undefined): string {
  const isOver = message.notification.status === 'resolved'
  const colour = isOver ? '#067647' : '#b42318'
  const facts = factsOf(message).map(([name, value]) => `<tr><td style="padding:2px 16px 2px 0;color:#667085">${escaped(name)}</td><td style="padding:2px 0">${escaped(clip(value, 500))}</td></tr>`)
  const lines = alertLines(message, LINES_MAX).map((line) => `<li style="margin:4px 0">${escaped(clip(line, LINE_MAX))}</li>`)
  const buttons = linkPairs(links).map(([name, url]) => `<a href="${escaped(url)}" style="display:inline-block;margin:0 8px 8px 0;padding:6px 12px;border:1px solid #d0d5dd;border-radius:6px;color:#1d2939;text-decoration:none">${escaped(name)}</a>`)
  const instead = insteadText(message)
  return [
    '<!doctype html><html lang="en"><body style="margin:0;padding:16px;font:14px/1.5 system-ui,sans-serif;color:#1d2939;background:#ffffff">',
    `<p style="margin:0 0 4px;color:${colour};font-weight:600">${escaped(statusWord(message))}</p>`,
    `<h1 style="margin:0 0 12px;font-size:18px">${escaped(clip(titleOf(message), 500))}</h1>`,
    facts.length > 0 ? `<table style="border-collapse:collapse;margin:0 0 12px">${facts.join('')}</table>` : '',
    picture === undefined ? '' : `<p><img src="cid:${picture.cid}" alt="${escaped(picture.alt)}" style="max-width:100%;border:1px solid #eaecf0"></p>`,
    `<ul style="padding-left:20px">${lines.join('')}</ul>`,
    buttons.length > 0 ? `<p>${buttons.join('')}</p>` : '',
    instead === '' ? '' : `<p>${escaped(instead)}</p>`,
    `<p style="color:#98a2b3;font-size:12px">${escaped(clip(message.notification.groupKey, 500))}</p>`,
    '</body></html>',
  ].join('\n')
}
