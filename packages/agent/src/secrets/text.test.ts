// Texts of errors and addresses: what looks like a secret goes, what helps stays, and no text takes long.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactionOf } from '../attributes.ts'
import { redactQuery, redactUrl } from './addresses.ts'
import { redactText } from './text.ts'

const CANARY = 'CANARY7f3a'

test('what shows by its name, its scheme or its form that it is secret', () => {
  for (const text of [
    `password=${CANARY}`, `password = "${CANARY} with blanks, and more"`, `PGPASSWORD: '${CANARY}'`, `{"apiKey":"${CANARY}","a":1}`, `{ user: 'x', clientSecret: '${CANARY}' }`,
    `"{\\"password\\":\\"${CANARY}\\",\\"user\\":1}"`, `{"password":"a\\"${CANARY}"}`, `tokens: ['${CANARY}', "b", { c: '${CANARY}' }]`, `secret => ${CANARY}`, `x-api-key:${CANARY}`,
    `authorization: Basic ${CANARY}, more ${CANARY}\nnext`, `set-cookie: sid=${CANARY}; path=/`, `"authorization": "Bearer ${CANARY}"`, `sent Bearer ${CANARY}. to it`, `BASIC ${CANARY}=`,
    `connect to postgres://user:${CANARY}@db:5432/x failed`, `redis://:${CANARY}@cache`, `mongodb://u:pa/${CANARY}@host/db`, `amqp://u:p@${CANARY}@h`, `GET https://h/a?b=1&access_token=${CANARY}&c=2 failed`,
    `GET /a?sig=${CANARY} failed`, `GET /a?code=${CANARY}#x`, `GET /a?pass%77ord=${CANARY}`, `#access_token=${CANARY}`,
    `Key (email, name)=(${CANARY}, b) already exists.`, `Key (email)=(${CANARY}) is not present in table "users".`, `Failing row contains (1, ${CANARY}, null).`,
    `invalid input syntax for type integer: "${CANARY}"`, `Duplicate entry '${CANARY}' for key 'users.email'`, `Incorrect integer value: '${CANARY}' for column 'n' at row 1`,
    `insert into "users" ("email") values ('${CANARY}') - duplicate key value`, `UPDATE users SET name = '${CANARY}' WHERE id = 1`, `select * from t where name = 'a''${CANARY}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${CANARY}\n-----END RSA PRIVATE KEY-----`, `eyJhbGciOiJIUzI1NiJ9.eyJ${CANARY}.${CANARY}`, `key sk_live_${CANARY}000`, `ghp_${CANARY}00000000000000`,
    `Error: password=${CANARY}\n    at f (/app/a.js:1:2)\n    caused by token: ${CANARY}\n    at g (/app/b.js:3:4)`,
  ]) assert.ok(!redactText(text).includes(CANARY), `${text}\n→ ${redactText(text)}`)
})

test('what is no secret stays as it is', () => {
  for (const text of [
    'Cannot read properties of undefined (reading \'token\')', 'Unexpected token \'<\', "<!doctype "... is not valid JSON', 'password: undefined', '{"token":null}', 'max_tokens: 4096', 'Error: connect ECONNREFUSED 127.0.0.1:5432',
    'basic authentication failed', 'bearer of news', 'the user\'s name can\'t be where it isn\'t', 'http://h:80/a?page=2&size=10', 'mail a@b.c // and @c', 'duplicate key value violates unique constraint "users_email_key"',
    'TypeError: x\n    at Object.token (/app/src/token.js:12:5)\n    at async file:///app/secret.mjs:3:4', 'see /app/token.ts:12', '', '=', ':', 'a=b', 'key: value', 'time: 12:30:01',
  ]) assert.equal(redactText(text), text)
})

test('addresses keep their other parameters', () => {
  assert.equal(redactUrl('https://u:p@h/a?x=1&token=a=b;c&y=2#code=1&z'), 'https://h/a?x=1&token=[redacted]&y=2#code=[redacted]&z')
  assert.equal(redactQuery('token=a&page=2&my_key=b'), 'token=[redacted]&page=2&my_key=[redacted]')
  assert.equal(redactUrl('/secret=1/a?b'), '/secret=1/a?b')
  assert.equal(redactUrl('/a?x=1;token=2'), '/a?x=1;token=[redacted]')
})

test('twice is the same as once, and a text is never made longer than its secrets are many', () => {
  const part = fc.constantFrom('password', '=', ':', ' ', '"', "'", '\\"', '//', '@', '?', '&', 'token', 'x', '1', '\n', '\n    at f (/a.js:1:2)', '{', '}', '[', 'Bearer ', 'Key (a)=(', ') already exists', 'values (', 'select ')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }).map((parts) => parts.join('')), (text) => {
      const once = redactText(text)
      assert.equal(redactText(once), once)
      redactUrl(text)
      redactQuery(text)
    }),
    { numRuns: 3000 },
  )
})

/** Milliseconds of processor time, which others on the machine do not lengthen. */
function spent(run: () => unknown): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

test('no text takes long: pieces repeated to 32 Ki characters, in every order', { timeout: 300_000 }, () => {
  const piece = fc.constantFrom('?key', '&token', '//', '@', 'a:b', '-eyJ', 'eyJaaaaaaaa.', 'Key (a)=(', "Duplicate entry '", 'invalid value for a: "', 'Failing row contains (', '-----BEGIN ', 'Bearer ', 'update a ', 'where a', ' ', '"', "'", '\\', '\\"', '=', ':', '{', '[', ']', 'password', '\n', '\n    at ', ':1', 'a', '%', ';', '#', 'gh', 'sk_live_')
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
      const unit = pieces.join('')
      const text = unit.repeat(Math.ceil((32 * 1024) / unit.length))
      for (const key of ['exception.message', 'url.full', 'url.query']) {
        const ms = spent(() => redactionOf(key)?.(text))
        // Linear work is some ten milliseconds; what it replaced took 17 seconds for a quarter of the length.
        assert.ok(ms < 1500, `${key} ${JSON.stringify(unit)}: ${ms} ms`)
      }
    }),
    { numRuns: 300 },
  )
})
