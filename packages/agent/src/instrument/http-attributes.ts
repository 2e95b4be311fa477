// What requests in both directions are described by. @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
import type { IncomingHttpHeaders, OutgoingMessage } from 'node:http'
import type { TextMapGetter } from '@opentelemetry/api'

/** Methods that are known; all others are one, so that a client cannot make series. */
const METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY', 'TRACE'])

/** The method as it is recorded, and as it was sent where that is another. */
export function methodOf(sent: string): { readonly method: string; readonly original: string | undefined } {
  if (METHODS.has(sent)) return { method: sent, original: undefined }
  const upper = sent.toUpperCase()
  return METHODS.has(upper) ? { method: upper, original: sent } : { method: '_OTHER', original: sent }
}

export const headerGetter: TextMapGetter<IncomingHttpHeaders> = {
  get: (headers, key) => headers[key],
  keys: (headers) => Object.keys(headers),
}

/** A host and its port; '' and 0 where they are not said. */
export interface Host {
  readonly address: string
  readonly port: number
}

const hosts = new Map<string, Host>()
const MAX_HOSTS = 200

/** The parts of a Host header; the scheme's own port where it says none. */
function hostOf(header: string | undefined, scheme: string): Host {
  if (header === undefined) return NO_HOST
  const key = scheme === 'https' ? `https ${header}` : header
  const known = hosts.get(key)
  if (known !== undefined) return known
  const match = /^(\[[\da-f:.]+\]|[^:]*)(?::(\d{1,5}))?$/i.exec(header)
  const host = match === null ? NO_HOST : { address: (match[1] ?? '').replace(/^\[|\]$/g, ''), port: Number(match[2] ?? (scheme === 'https' ? 443 : 80)) }
  // A client may send any host: what is remembered is bounded.
  if (hosts.size < MAX_HOSTS) hosts.set(key, host)
  return host
}

const NO_HOST: Host = { address: '', port: 0 }

/** The host that a client has asked for: behind a proxy the proxy says it. */
export function askedHost(headers: IncomingHttpHeaders, scheme: string): Host {
  const outer = headers['x-forwarded-host']
  if (typeof outer !== 'string') return hostOf(headers.host, scheme)
  return hostOf(outer.split(',', 1)[0]?.trim(), headers['x-forwarded-proto'] === 'https' ? 'https' : scheme)
}

/** The size of an answer whose whole body was given at once, in bytes. Node keeps it for its content-length header. */
export function bodySize(message: OutgoingMessage): number | undefined {
  const size: unknown = Reflect.get(message, '_contentLength')
  return typeof size === 'number' ? size : undefined
}
