// What rows of the state log are about, and how long what they say holds.

const KINDS_TOLD = [
  'agent-control',
  'adaptation',
  'breach',
  'alert',
  'partition-dropped',
  // What is told: alerts of any source, groups and their decisions, messages to channels, silences.
  'alert-active',
  'alert-group',
  'message',
  'channel',
  'silence',
  // Rules that were made by API or page.
  'rule',
  'incident',
  'incident-event',
  'evidence',
  'objective',
  'deploy',
  'detector',
  // The highest revision that was given, where its own row has expired.
  'revision',
] as const

/** What a row is about. */
export type StateKind = (typeof KINDS_TOLD)[number]

export const KINDS: readonly StateKind[] = KINDS_TOLD

export function isStateKind(kind: string): kind is StateKind {
  return KINDS.some((one) => one === kind)
}

/** What the newest row of a key says holds until a row says that it is over, or until its end, however long ago it was written. */
export interface Lasting {
  /** States of which nothing holds any more. */
  readonly over: readonly string[]
  /** The field of the document that says when it ends by itself, in milliseconds since 1970. */
  readonly until?: string
}

/** `past`: each row tells of something that happened, and expires. `of`: every row is kept as long as what the newest row of that kind and the same key says. */
export type Meaning = Lasting | { readonly of: 'incident' } | 'past'

export const MEANINGS: Readonly<Record<StateKind, Meaning>> = {
  'agent-control': { over: ['removed'], until: 'expires' },
  adaptation: 'past',
  breach: 'past',
  alert: { over: ['none'] },
  'partition-dropped': 'past',
  'alert-active': { over: ['settled'] },
  'alert-group': { over: ['closed'] },
  // What a channel was told of a group that is closed is forgotten after a day, which is the shortest retention.
  message: { over: ['delivered', 'given-up', 'coalesced', 'closed', 'gone'] },
  channel: { over: ['enabled'] },
  silence: { over: ['expired'], until: 'endsAt' },
  rule: { over: ['removed'] },
  incident: { over: ['resolved', 'reviewed'] },
  'incident-event': { of: 'incident' },
  evidence: { of: 'incident' },
  objective: { over: ['removed'] },
  // A version whose rows have expired counts as seen for the first time, which is no release.
  deploy: 'past',
  detector: { over: ['none'] },
  revision: 'past',
}
