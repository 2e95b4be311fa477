import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { AndonError, type Milliseconds } from '@andon/model'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock } from '../runtime/clock.ts'

/** What a token may do: each role holds viewer < editor < admin; ingest writes telemetry and reads nothing; admin may do all. */
export const ROLES = ['ingest', 'viewer', 'editor', 'admin'] as const
export type Role = (typeof ROLES)[number]

/**
 * What a route asks for. `open` holds no data: the page itself, the probes, the login. `agent`: any token; the route itself
 * gives an ingest token nothing but what concerns its own agents.
 */
export type RouteRole = Role | 'open' | 'agent'

/** A token as it is kept: never its text. */
export interface Token {
  /** Who acts; shown where an action is recorded. */
  readonly name: string
  readonly role: Role
  /** SHA-256 of the token's UTF-8 text, 64 lower-case hex digits. */
  readonly sha256: string
}

export interface GuardOptions {
  /** The address the server is bound to. */
  readonly host: string
  readonly port: () => number
  /** Further names by which the server may be called, `name` or `name:port`. */
  readonly allowedHosts: readonly string[]
  /** With any token, every request needs one; without, the server must be bound to loopback. */
  readonly tokens: readonly Token[]
  readonly clock: Pick<Clock, 'now'>
}

/** Who makes a request. */
export interface Actor {
  /** The token's name, or `local` on an open loopback. */
  readonly name: string
  readonly role: Role
}

/** A route as docs/reference/http.md lists it. */
export interface GuardedRoute {
  readonly method: string
  readonly path: string
  readonly role: RouteRole
  /** It may be subscribed to at /api/live. */
  readonly live: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route; a route without it is refused at registration. */
    role?: RouteRole
    /** The route may be subscribed to at /api/live. */
    live?: boolean
    /** The route answers with a stream of events. */
    stream?: boolean
  }
}

/** How long a login lasts; a restart of the server ends it too. */
const SESSION_MS: Milliseconds = 7 * 24 * 3_600_000
const COOKIE = 'andon_session'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Loopback addresses in any spelling that can be bound to. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const address = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(address) === 4) return address.startsWith('127.')
  return address === '::1' || address === '0:0:0:0:0:0:0:1' || address.startsWith('::ffff:127.')
}

/** SHA-256 of a token's text as 64 hex digits: what a configuration holds in place of the token. */
export function hashToken(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

/** The header that says where a request was sent, split; port '' when it names none. */
function splitHost(header: string): { name: string; port: string } {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(header.toLowerCase())
  return { name: match?.[1] ?? '', port: match?.[2] ?? '' }
}

function readCookie(header: string | undefined): string {
  const pair = (header ?? '').split(';').find((part) => part.trim().startsWith(`${COOKIE}=`))
  return pair === undefined ? '' : pair.trim().slice(COOKIE.length + 1)
}

const allows = (has: Role, needs: Role | 'agent'): boolean => {
  if (has === 'admin' || needs === 'agent') return true
  if (has === 'ingest' || needs === 'ingest') return has === needs
  return ROLES.indexOf(has) >= ROLES.indexOf(needs)
}

function refuseNaked({ host, tokens }: GuardOptions): void {
  if (tokens.length > 0 || isLoopback(host)) return
  throw new AndonError('bad_config', `Andon will not listen on ${host} without a token: everyone who reaches it could read and write all data.`, {
    hint: 'Set ANDON_TOKEN to a long random text (openssl rand -hex 32), or ANDON_TOKEN_FILE to a file that holds one, or tokens in andon.yaml; or listen on 127.0.0.1.',
  })
}

/**
 * Decides who may do what; the only file that does. Bound to loopback without tokens everything is open to programs of this machine,
 * while Host and Origin checks keep web pages out (DNS rebinding, cross-site requests). With tokens each request needs one.
 */
export class Guard {
  #options: GuardOptions
  /** Signs cookies; a leaked configuration does not hold it. */
  readonly #secret: Buffer = randomBytes(32)
  /** What the server's own subscriptions call it with. */
  readonly #internal: string = randomBytes(32).toString('hex')
  /** Every route that stands behind this guard. */
  readonly routes: GuardedRoute[] = []
  readonly #actors = new WeakMap<FastifyRequest, Actor>()

  /** @throws AndonError bad_config when bound to more than loopback without a token */
  constructor(options: GuardOptions) {
    refuseNaked(options)
    this.#options = options
  }

  /**
   * Takes other tokens and names from now on; logins of tokens that are gone end.
   *
   * @throws AndonError bad_config as the constructor; then nothing has changed
   */
  reload(change: Pick<GuardOptions, 'tokens' | 'allowedHosts'>): void {
    const options = { ...this.#options, ...change }
    refuseNaked(options)
    this.#options = options
  }

  /** Headers for requests that the server makes to itself as a viewer. */
  internalHeaders(): Record<string, string> {
    return { host: `localhost:${this.#options.port()}`, authorization: `Bearer ${this.#internal}` }
  }

  /** Who makes this request; `local` where nobody had to say. */
  actor(request: FastifyRequest): Actor {
    return this.#actors.get(request) ?? { name: 'local', role: 'admin' }
  }

  /**
   * Lets a request pass, or not.
   *
   * @param needs - the role that the route names
   * @throws AndonError forbidden (wrong Host, Origin or role), unauthorized (no or unknown token)
   */
  check(request: FastifyRequest, needs: RouteRole): void {
    this.#checkHost(request)
    const config = request.routeOptions.config
    if (!SAFE_METHODS.has(request.method) || config.stream === true) this.#checkOrigin(request)
    if (needs === 'open' || this.#options.tokens.length === 0) return
    const actor = this.#identify(request)
    if (actor === undefined) throw new AndonError('unauthorized', 'This request needs a token that Andon knows.')
    if (!allows(actor.role, needs)) throw new AndonError('forbidden', `This needs the role ${needs}; the token "${actor.name}" has the role ${actor.role}.`)
    this.#actors.set(request, actor)
  }

  /**
   * Lets telemetry pass that comes by another way than the routes, or not.
   *
   * @throws AndonError unauthorized, forbidden
   */
  checkIngest(authorization: string | undefined): void {
    if (this.#options.tokens.length === 0) return
    const actor = authorization === undefined ? undefined : this.#bearer(authorization)
    if (actor === undefined) throw new AndonError('unauthorized', 'This call needs a token that Andon knows.')
    if (!allows(actor.role, 'ingest')) throw new AndonError('forbidden', `This needs the role ingest; the token "${actor.name}" has the role ${actor.role}.`)
  }

  /**
   * The cookie for a token.
   *
   * @returns a Set-Cookie value: HttpOnly, SameSite=Strict, gone after seven days
   * @throws AndonError unauthorized for an unknown token
   */
  login(token: string): { cookie: string; actor: Actor } {
    const actor = this.#tokenActor(token)
    if (actor === undefined) throw new AndonError('unauthorized', 'Andon does not know this token.')
    const body = `${Buffer.from(actor.name).toString('base64url')}.${this.#options.clock.now() + SESSION_MS}`
    return { cookie: `${COOKIE}=${body}.${this.#sign(body)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}`, actor }
  }

  /** The cookie that ends a login. */
  logout(): string {
    return `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`
  }

  #identify(request: FastifyRequest): Actor | undefined {
    const header = request.headers.authorization
    return header === undefined ? this.#cookieActor(readCookie(request.headers.cookie)) : this.#bearer(header)
  }

  #bearer(header: string): Actor | undefined {
    const match = /^Bearer +(\S+)$/i.exec(header)
    return match?.[1] === undefined ? undefined : this.#tokenActor(match[1])
  }

  /** Every kept token is compared, each in constant time, so that time tells nothing. */
  #tokenActor(text: string): Actor | undefined {
    const given = createHash('sha256').update(text, 'utf8').digest()
    let found: Actor | undefined
    for (const token of this.#options.tokens) {
      if (timingSafeEqual(given, Buffer.from(token.sha256, 'hex'))) found = { name: token.name, role: token.role }
    }
    if (timingSafeEqual(given, createHash('sha256').update(this.#internal).digest())) found = { name: 'andon', role: 'viewer' }
    return found
  }

  #cookieActor(cookie: string): Actor | undefined {
    const [name = '', expires = '', signature = ''] = cookie.split('.')
    const given = Buffer.from(signature)
    const right = Buffer.from(this.#sign(`${name}.${expires}`))
    if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined
    if (!(Number(expires) > this.#options.clock.now())) return undefined
    // A token that was taken out of the configuration ends its logins.
    const token = this.#options.tokens.find((one) => one.name === Buffer.from(name, 'base64url').toString())
    return token === undefined ? undefined : { name: token.name, role: token.role }
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(body).digest('base64url')
  }

  /** A page whose name was rebound to 127.0.0.1 still sends its own name as Host. */
  #checkHost(request: FastifyRequest): void {
    if (!isLoopback(this.#options.host)) return
    const header = request.headers.host ?? ''
    const { name, port } = splitHost(header)
    const right = isLoopback(name) && (port === '' ? '80' : port) === String(this.#options.port())
    if (right || this.#isAllowedHost(header)) return
    throw new AndonError('forbidden', `This server is not called "${header.slice(0, 100)}".`, {
      hint: `Call it by 127.0.0.1 or localhost with port ${this.#options.port()}, or list the name under listen.allowed_hosts.`,
    })
  }

  #isAllowedHost(header: string): boolean {
    const given = splitHost(header)
    return this.#options.allowedHosts.some((one) => {
      const allowed = splitHost(one)
      return allowed.name !== '' && allowed.name === given.name && (allowed.port === '' || allowed.port === given.port)
    })
  }

  /** Browsers say which page a changing request comes from; other programs send no Origin and are not a page's tool. */
  #checkOrigin(request: FastifyRequest): void {
    const { origin } = request.headers
    const site = request.headers['sec-fetch-site']
    const foreign = origin === undefined ? site === 'cross-site' || site === 'same-site' : !this.#isOwnOrigin(origin, request.headers.host ?? '')
    if (foreign) throw new AndonError('forbidden', `Requests from the page ${(origin ?? 'of another site').slice(0, 100)} are not allowed to change or follow anything here.`)
  }

  #isOwnOrigin(origin: string, host: string): boolean {
    const match = /^https?:\/\/([^/]+)$/i.exec(origin)
    const named = match?.[1]?.toLowerCase() ?? ''
    return named !== '' && (named === host.toLowerCase() || this.#isAllowedHost(named))
  }
}

/**
 * Puts the guard before every route of `app`.
 *
 * @throws Error at registration of a route that names no role
 */
export function registerGuard(app: FastifyInstance, guard: Guard): void {
  app.addHook('onRoute', (route) => {
    const role = route.config?.role
    if (role === undefined) throw new Error(`The route ${String(route.method)} ${route.url} names no role.`)
    const methods = [route.method].flat().filter((method) => method !== 'HEAD')
    guard.routes.push(...methods.map((method) => ({ method, path: route.url, role, live: route.config?.live === true })))
  })
  app.addHook('onRequest', (request, _reply, done) => {
    // An unknown route answers 404 to whom it may answer at all.
    guard.check(request, request.routeOptions.config.role ?? 'open')
    done()
  })
  app.post('/api/login', { config: { role: 'open' }, bodyLimit: 4096 }, (request, reply) => {
    const token = typeof request.body === 'object' && request.body !== null ? Reflect.get(request.body, 'token') : undefined
    if (typeof token !== 'string') throw new AndonError('bad_body', 'The body must be {"token": "…"}.')
    const { cookie, actor } = guard.login(token)
    return reply.header('set-cookie', cookie).send({ name: actor.name, role: actor.role })
  })
  app.post('/api/logout', { config: { role: 'open' } }, (_request, reply) => reply.header('set-cookie', guard.logout()).code(204).send())
}
