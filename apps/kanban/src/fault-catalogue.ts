// The ailments that the kanban can have on purpose, each with its strength.

/** One kind of fault. Its strength is a number in its unit; 0 is off. */
export interface FaultKind {
  /** What its strength counts. */
  readonly unit: string
  readonly low: number
  readonly high: number
  /** The strength when none is given. */
  readonly otherwise: number
  /** What goes wrong, in a sentence. */
  readonly what: string
}

/** Every fault by name. */
export const FAULT_NAMES = [
  'slow-query',
  'n-plus-one',
  'reposition-loop',
  'quadratic',
  'sync-read',
  'no-pool',
  'small-pool',
  'held-connections',
  'memory-leak',
  'no-compression',
  'cache-off',
  'redos',
  'gc-churn',
  'errors',
  'slow-dependency',
  'latency',
  'dropped-connections',
  'cpu-burn',
  'blocked-loop',
] as const

export type FaultName = (typeof FAULT_NAMES)[number]

export const FAULT_KINDS: Readonly<Record<FaultName, FaultKind>> = {
  'slow-query': { unit: 'thousand comments', low: 0.1, high: 200, otherwise: 20, what: 'The index of comments by card is dropped, and there are so many comments of others: each card of a board reads them all.' },
  'n-plus-one': { unit: 'statements per card', low: 1, high: 50, otherwise: 2, what: 'A board asks for assignees and labels card by card.' },
  'reposition-loop': { unit: 'updates per card', low: 1, high: 50, otherwise: 2, what: 'After each new and each moved card, every card of the column is numbered anew by statements of its own.' },
  quadratic: { unit: 'thousand words', low: 0.1, high: 30, otherwise: 5, what: 'Each load of a board builds an index of words by `includes` and spread, whose time grows with the square of the words.' },
  'sync-read': { unit: 'MiB', low: 1, high: 512, otherwise: 32, what: 'Each request reads a file of this size synchronously.' },
  'no-pool': { unit: 'share of statements', low: 0.01, high: 1, otherwise: 1, what: 'Statements and transactions open a connection of their own.' },
  'small-pool': { unit: 'connections', low: 1, high: 10, otherwise: 1, what: 'The pool has so few connections.' },
  'held-connections': { unit: 'ms', low: 1, high: 10_000, otherwise: 300, what: 'A connection goes back to the pool so long after its work is done; under load the pool is exhausted.' },
  'memory-leak': { unit: 'KiB per request', low: 1, high: 1024, otherwise: 100, what: 'Each request leaves an entry in a map and a listener behind, up to 256 MiB in all.' },
  'no-compression': { unit: 'share of answers', low: 0.01, high: 1, otherwise: 1, what: 'Answers are sent without compression.' },
  'cache-off': { unit: 'share of reads', low: 0.01, high: 1, otherwise: 1, what: 'Reads pass the cache by.' },
  redos: { unit: 'characters', low: 8, high: 30, otherwise: 22, what: 'A searched text is checked by a pattern whose time doubles with each character, on so many of them.' },
  'gc-churn': { unit: 'MiB per request', low: 0.1, high: 200, otherwise: 10, what: 'Each request allocates so many short-lived objects.' },
  errors: { unit: 'share of requests', low: 0.001, high: 1, otherwise: 0.1, what: 'Requests fail with an error that nobody caught.' },
  'slow-dependency': { unit: 'ms', low: 1, high: 9000, otherwise: 200, what: 'The stand-in of a mail service, which each change waits for, answers so late.' },
  latency: { unit: 'times as long', low: 1.01, high: 100, otherwise: 2, what: 'Answers are delayed in proportion to the time they took.' },
  'dropped-connections': { unit: 'share of connections', low: 0.01, high: 1, otherwise: 0.5, what: 'Connections are cut before a request is read, so that fewer requests arrive.' },
  'cpu-burn': { unit: 'cores', low: 0.05, high: 8, otherwise: 1, what: 'Threads beside the event loop use up processors.' },
  'blocked-loop': { unit: 'ms', low: 5, high: 3000, otherwise: 200, what: 'A computation blocks the event loop for so long, once a second or, from 500 ms on, half of the time.' },
}

/** The kind of a name, or undefined when there is none of it. */
export function faultNamed(name: string): FaultName | undefined {
  return FAULT_NAMES.find((each) => each === name)
}
