// What each route takes, as JSON schema: what is wrong is refused before any code of ours sees it.

import { MAX_SECONDS } from './faults.ts'

const uuid = { type: 'string', format: 'uuid' } as const
const name = { type: 'string', minLength: 1, maxLength: 100, pattern: '\\S' } as const
const longText = { type: 'string', maxLength: 50_000 } as const
const labels = { type: 'array', maxItems: 20, items: { type: 'string', minLength: 1, maxLength: 40 } } as const
const people = { type: 'array', maxItems: 20, items: uuid } as const
const due = { anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }] } as const
const priority = { type: 'string', enum: ['low', 'medium', 'high', 'urgent'] } as const
const version = { type: 'integer', minimum: 1 } as const
const wipLimit = { anyOf: [{ type: 'integer', minimum: 1, maximum: 1000 }, { type: 'null' }] } as const
const checklist = {
  type: 'array',
  maxItems: 100,
  items: { type: 'object', required: ['text', 'done'], additionalProperties: false, properties: { text: { type: 'string', minLength: 1, maxLength: 500 }, done: { type: 'boolean' } } },
} as const
const title = { type: 'string', minLength: 1, maxLength: 200, pattern: '\\S' } as const

function object(properties: Readonly<Record<string, object>>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, properties, required }
}

const cardFields = { title, description: longText, labels, assignees: people, due, priority }

export const params: object = object({ id: uuid }, ['id'])

export const bodies: Readonly<Record<string, object>> = {
  login: object({ name: { type: 'string', minLength: 1, maxLength: 60 }, password: { type: 'string', minLength: 1, maxLength: 200 } }, ['name', 'password']),
  person: object({ name: { type: 'string', minLength: 1, maxLength: 60 }, password: { type: 'string', minLength: 8, maxLength: 200 }, role: { type: 'string', enum: ['admin', 'member', 'viewer'] } }, ['name', 'password', 'role']),
  token: object({ name }, ['name']),
  board: object({ name, description: longText }, ['name']),
  boardChanges: object({ name, description: longText, archived: { type: 'boolean' } }),
  column: object({ name, wipLimit }, ['name']),
  columnChanges: object({ name, wipLimit, archived: { type: 'boolean' }, before: { anyOf: [uuid, { type: 'null' }] } }),
  rules: object({ rules: { type: 'array', maxItems: 500, items: object({ from: uuid, to: uuid }, ['from', 'to']) } }, ['rules']),
  card: object({ columnId: uuid, ...cardFields }, ['columnId', 'title']),
  cardChanges: object({ version, ...cardFields, checklist, archived: { type: 'boolean' } }, ['version']),
  move: object({ columnId: uuid, before: { anyOf: [uuid, { type: 'null' }] }, version }, ['columnId', 'before', 'version']),
  faults: object({ faults: { type: 'object', maxProperties: 50, additionalProperties: { type: 'number' } }, seconds: { type: 'number', minimum: 0.1, maximum: MAX_SECONDS } }, ['faults']),
  comment: object({ text: { type: 'string', minLength: 1, maxLength: 10_000, pattern: '\\S' } }, ['text']),
}

export const search: object = object({ text: { type: 'string', maxLength: 200 }, label: { type: 'string', maxLength: 40 }, assignee: uuid, priority, dueBefore: { type: 'string', format: 'date' } })
