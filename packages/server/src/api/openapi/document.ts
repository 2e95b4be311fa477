// The OpenAPI document of the routes that there are.
import { ERROR_CATALOGUE, type ErrorCode } from '@andon/model'
import type { GuardedRoute } from '../guard.ts'
import { object, oneOf, type Operation, type Operations, type Parameter, type Schema, text } from './schema.ts'

/** What any route may answer. */
const COMMON: readonly ErrorCode[] = ['bad_parameter', 'internal', 'unavailable']
/** What a route may answer that asks for a role. */
const GUARDED: readonly ErrorCode[] = ['unauthorized', 'forbidden']

const ERROR: Schema = object({ error: object({ code: oneOf(Object.keys(ERROR_CATALOGUE)), message: text('What is wrong with this very request.'), hint: text('What to do about it.') }) })

const ROLES: Readonly<Record<string, string>> = {
  open: 'Open to everyone who reaches the port; it holds no data.',
  agent: 'Any token; an ingest token reads what concerns its own agents only.',
  ingest: 'Role ingest or admin.',
  viewer: 'Role viewer, editor or admin.',
  editor: 'Role editor or admin.',
  admin: 'Role admin.',
}

/** The name by which a route stands among the operations. */
export function operationKey({ method, path }: Pick<GuardedRoute, 'method' | 'path'>): string {
  return `${method} ${path}`
}

/** The names of the parameters in a path such as `/api/spans/trace/:id`. */
function pathParameters(path: string, { parameters = [] }: Operation): Parameter[] {
  const told = new Set(parameters.filter((each) => each.in === 'path').map(({ name }) => name))
  const names = [...path.matchAll(/:(\w+)|\*/g)].map(([, name]) => name ?? 'path').filter((name) => !told.has(name))
  return names.map((name) => ({ name, in: 'path', required: true, description: name === 'path' ? 'A file of the dashboard, or a page of it.' : `The ${name}, percent-encoded.`, schema: { type: 'string' } }))
}

function successOf({ answer, summary }: Operation): Readonly<Record<string, unknown>> {
  if (answer === 'nothing') return { 204: { description: 'Done.' } }
  const content = 'schema' in answer ? { 'application/json': { schema: answer.schema } } : { [answer.type]: {} }
  return { 200: { description: summary, content } }
}

function errorsOf({ errors = [], protocol }: Operation, role: string): Readonly<Record<string, unknown>> {
  const codes = [...new Set([...COMMON, ...(role === 'open' ? [] : GUARDED), ...errors])]
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of codes) byStatus.set(ERROR_CATALOGUE[code].status, [...(byStatus.get(ERROR_CATALOGUE[code].status) ?? []), code])
  return Object.fromEntries(
    [...byStatus].toSorted(([a], [b]) => a - b).map(([status, of]) => {
      const description = of.map((code) => `${code}: ${ERROR_CATALOGUE[code].hint}`).join(' ')
      // Other protocols have envelopes of their own.
      return [status, protocol === undefined ? { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } } : { description }]
    }),
  )
}

function operationOf(route: GuardedRoute, operation: Operation): Readonly<Record<string, unknown>> {
  const { summary, parameters = [], body, protocol } = operation
  return {
    summary,
    description: `${ROLES[route.role] ?? ''}${route.live ? ' Can be followed live at /api/live.' : ''}`,
    operationId: operationKey(route).replaceAll(/[^\w]+/g, '_').replace(/_$/, ''),
    'x-role': route.role,
    'x-live': route.live,
    parameters: [...pathParameters(route.path, operation), ...parameters],
    ...(body !== undefined && { requestBody: { required: true, ...(body.description !== undefined && { description: body.description }), content: { [body.type]: body.schema === undefined ? {} : { schema: body.schema } } } }),
    responses: { ...successOf(operation), ...errorsOf(operation, route.role) },
    security: route.role === 'open' ? [] : [{ bearer: [] }, { session: [] }],
    ...(protocol !== undefined && { externalDocs: { url: protocol } }),
  }
}

/** What the document is made of. */
export interface Described {
  readonly operations: Operations
  /** Schemas that others name. */
  readonly schemas: Readonly<Record<string, Schema>>
  readonly version: string
}

/**
 * The document of some routes.
 *
 * @param routes - as the guard knows them; one without an operation is left out
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApiDocument(routes: readonly GuardedRoute[], { operations, schemas, version }: Described): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) {
    const { [operationKey(route)]: operation } = operations
    if (operation === undefined) continue
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}').replace('*', '{path}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, operation) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Andon',
      version,
      description: 'The HTTP API of Andon. Times are milliseconds since 1970, rates per second, quantiles in seconds where the name does not end in Ms; lists are aligned to `t`, with null where nothing was measured. On loopback without tokens everything is open.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { Error: ERROR, ...schemas },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token of the configuration, which has one role.' },
        session: { type: 'apiKey', in: 'cookie', name: 'andon_session', description: 'The cookie that POST /api/login sets.' },
      },
    },
  }
}
