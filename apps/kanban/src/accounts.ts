// People, their sessions and tokens, and what each role may do.
import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { Database } from './db.ts'
import { Refusal } from './refusal.ts'

export type Role = 'admin' | 'member' | 'viewer'

export interface Person {
  readonly id: string
  readonly name: string
  readonly role: Role
}

const derive = promisify<string, Buffer, number, Buffer>(scrypt)
const SESSION_DAYS = 14
const RANKS: Readonly<Record<Role, number>> = { viewer: 0, member: 1, admin: 2 }

/** Failed attempts of one name within the window, past which it must wait. */
const MAX_ATTEMPTS = 10
const ATTEMPT_WINDOW = 60_000

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return `${salt.toString('hex')}:${(await derive(password, salt, 32)).toString('hex')}`
}

async function isPassword(password: string, stored: string): Promise<boolean> {
  const [salt = '', hash = ''] = stored.split(':')
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'hex'), 32), Buffer.from(hash, 'hex'))
}

/** Refuses what the role of a person does not allow. */
export function needs(person: Person, role: Role): void {
  if (RANKS[person.role] < RANKS[role]) throw new Refusal(403, 'forbidden', `This needs the role ${role}; ${person.name} has the role ${person.role}.`, 'Ask an admin.')
}

export class Accounts {
  readonly #database: Database
  readonly #now: () => number
  readonly #attempts = new Map<string, number[]>()

  constructor(database: Database, now: () => number = () => Date.now()) {
    this.#database = database
    this.#now = now
  }

  async create(name: string, password: string, role: Role): Promise<Person> {
    const { rows } = await this.#database.query<Person>('INSERT INTO people (name, password, role) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id, name, role', [name, await hashPassword(password), role])
    if (rows[0] === undefined) throw new Refusal(409, 'name_taken', `The name "${name}" is taken.`, 'Choose another.')
    return rows[0]
  }

  async people(): Promise<Person[]> {
    return (await this.#database.query<Person>('SELECT id, name, role FROM people ORDER BY name')).rows
  }

  /** A session for who knows the password. @returns the person and the token of the cookie */
  async logIn(name: string, password: string): Promise<{ person: Person; token: string }> {
    this.#checkAttempts(name)
    const { rows } = await this.#database.query<Person & { password: string }>('SELECT id, name, role, password FROM people WHERE name = $1', [name])
    const [found] = rows
    // An unknown name takes as long as a wrong password.
    const matches = await isPassword(password, found?.password ?? `${'00'.repeat(16)}:${'00'.repeat(32)}`)
    if (found === undefined || !matches) {
      this.#attempts.set(name, [...(this.#attempts.get(name) ?? []), this.#now()].slice(-MAX_ATTEMPTS))
      throw new Refusal(401, 'bad_credentials', 'Name or password is wrong.', 'Check both; an admin can set a new account up.')
    }
    this.#attempts.delete(name)
    const token = randomBytes(32).toString('base64url')
    await this.#database.query("INSERT INTO sessions (token_hash, person, expires) VALUES ($1, $2, now() + make_interval(days => $3))", [hashOf(token), found.id, SESSION_DAYS])
    return { person: { id: found.id, name: found.name, role: found.role }, token }
  }

  #checkAttempts(name: string): void {
    const recent = (this.#attempts.get(name) ?? []).filter((at) => this.#now() - at < ATTEMPT_WINDOW)
    if (this.#attempts.size > 10_000) this.#attempts.clear()
    this.#attempts.set(name, recent)
    if (recent.length >= MAX_ATTEMPTS) throw new Refusal(429, 'too_many_attempts', 'Too many failed attempts.', 'Wait a minute.')
  }

  async logOut(token: string): Promise<void> {
    await this.#database.query('DELETE FROM sessions WHERE token_hash = $1', [hashOf(token)])
  }

  /** Whom a session's or an API token belongs to. */
  async whose(token: string): Promise<Person | undefined> {
    const { rows } = await this.#database.query<Person>(
      `SELECT p.id, p.name, p.role FROM people p WHERE p.id = coalesce(
        (SELECT person FROM sessions WHERE token_hash = $1 AND expires > now()), (SELECT person FROM tokens WHERE token_hash = $1))`,
      [hashOf(token)],
    )
    return rows[0]
  }

  async createToken(person: Person, name: string): Promise<string> {
    const token = `kanban_${randomBytes(32).toString('base64url')}`
    await this.#database.query('INSERT INTO tokens (token_hash, person, name) VALUES ($1, $2, $3)', [hashOf(token), person.id, name])
    return token
  }

  async tokens(person: Person): Promise<{ id: string; name: string; createdAt: string }[]> {
    const { rows } = await this.#database.query<{ id: string; name: string; created: Date }>('SELECT id, name, created FROM tokens WHERE person = $1 ORDER BY created', [person.id])
    return rows.map(({ id, name, created }) => ({ id, name, createdAt: created.toISOString() }))
  }

  async deleteToken(person: Person, id: string): Promise<void> {
    await this.#database.query('DELETE FROM tokens WHERE id = $1 AND person = $2', [id, person.id])
  }
}
