import { list, object, oneOf, type Operations, text } from './schema.ts'

const PATHS = list(text('A path with its query, of a route that can be followed live.'))

export const ACCESS: Operations = {
  'POST /api/login': {
    summary: 'Sets the session cookie for 7 days.',
    body: { type: 'application/json', schema: object({ token: text() }) },
    answer: { schema: object({ name: text('Of the token.'), role: oneOf(['viewer', 'editor', 'admin', 'ingest']) }) },
    errors: ['bad_body', 'unauthorized'],
  },
  'POST /api/logout': { summary: 'Ends the session.', answer: 'nothing' },
  'GET /api/live': { summary: 'Server-sent events: hello {id}, then data {path, body} and problem {path, error}.', answer: { type: 'text/event-stream' }, errors: ['overloaded'] },
  'POST /api/live/:id': {
    summary: 'Says what a stream carries; at most 64 paths.',
    body: { type: 'application/json', schema: object({ subscribe: PATHS, unsubscribe: PATHS }, ['subscribe', 'unsubscribe']) },
    answer: 'nothing',
    errors: ['bad_body', 'not_found', 'too_large', 'overloaded'],
  },
  'GET /api/openapi.json': { summary: 'This document.', answer: { type: 'application/json' } },
}
