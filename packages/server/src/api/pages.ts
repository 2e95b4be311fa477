import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Nothing but our own files runs. Styles may stand in the page: the component library writes its variables into a style element. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const NOT_BUILT = `The dashboard is not built.

Build it with:  npm run build
All data can be had without it: /api/overview, /api/v1/query, /metrics; docs/reference/http.md lists the routes.
`

/** These paths are data, never pages of the dashboard. */
const DATA = /^\/(?:api|v1|tempo|federate|metrics|healthz|readyz|-)(?:\/|$)/

/** The folder of the built dashboard; undefined where it is not installed or not built. */
export function findDashboard(): string | undefined {
  try {
    const index = fileURLToPath(import.meta.resolve('@andon/dashboard/index.html'))
    return existsSync(index) ? dirname(index) : undefined
  } catch {
    return undefined
  }
}

/** The page itself is asked for anew each time; files under assets/ carry the hash of their content in their name. */
function cacheControl(file: string): string {
  return /[/\\]assets[/\\]/.test(file) ? 'public, max-age=31536000, immutable' : 'no-cache'
}

const isData = (request: FastifyRequest): boolean => DATA.test(request.url.split('?', 1)[0] ?? '')
const wantsPage = (request: FastifyRequest): boolean => (request.headers.accept ?? '').includes('text/html')

/**
 * The dashboard's files at /, and its page for every other path that a browser opens, because the page routes by itself.
 *
 * @param folder - of the built dashboard; without one a text says how to build it
 */
export async function registerPages(app: FastifyInstance, folder: string | undefined): Promise<void> {
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.headers(HEADERS)
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    done(null, payload)
  })
  if (folder === undefined) {
    app.get('/*', { config: { role: 'open' } }, (request, reply) => {
      if (isData(request)) reply.callNotFound()
      else void reply.type('text/plain; charset=utf-8').code(404).send(NOT_BUILT)
    })
    return
  }
  await app.register(fastifyStatic, {
    root: folder,
    serve: false,
    index: false,
    cacheControl: false,
    dotfiles: 'deny',
    setHeaders: (response, path) => void response.setHeader('cache-control', cacheControl(path)),
  })
  app.get<{ Params: { '*': string } }>('/*', { config: { role: 'open' } }, (request, reply) => {
    const file = request.params['*']
    const isFile = file !== '' && !file.includes('..') && existsSync(`${folder}/${file}`)
    if (isData(request) || (!isFile && file !== '' && !wantsPage(request))) reply.callNotFound()
    else void reply.header('content-security-policy', CONTENT_SECURITY_POLICY).sendFile(isFile ? file : 'index.html')
  })
}
