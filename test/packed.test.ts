// What npm would publish, in a folder of its own: the packed packages are all that a user has.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test, after } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { root } from './repository/root.ts'

const run = promisify(execFile)
const NAMES = ['model', 'wire', 'promql', 'agent', 'bench', 'cli', 'server', 'dashboard']
const folder = mkdtempSync(join(tmpdir(), 'andon-packed-'))

/** The dependencies of other people as the repository has them, ours as they were packed. */
async function install(): Promise<void> {
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@andon'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) if (!name.startsWith('.') && name !== '@andon') symlinkSync(realpathSync(join(root, 'node_modules', name)), join(modules, name))
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, ...NAMES.flatMap((name) => ['--workspace', `packages/${name}`])], { cwd: root })
  for (const name of NAMES) {
    const place = join(modules, '@andon', name)
    mkdirSync(place)
    const [file] = readdirSync(folder).filter((each) => each.startsWith(`andon-${name}-`))
    await run('tar', ['-xzf', join(folder, file ?? ''), '-C', place, '--strip-components=1'])
    const own = join(root, 'packages', name, 'node_modules')
    if (readdirSync(join(root, 'packages', name)).includes('node_modules')) symlinkSync(own, join(place, 'node_modules'))
  }
}

before(install)
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))

/** Asks itself, and then the server beside it until its own request has arrived. */
const BODY = `
app.get('/hello/:name', (request, reply) => { reply.send({ hello: request.params.name }) })
async function main() {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  await (await fetch(url + '/hello/you')).json()
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { data } = await (await fetch(process.env.ANDON + '/api/services/' + process.env.OTEL_SERVICE_NAME + '/operations')).json()
    if (data.includes('GET /hello/:name')) {
      const page = await fetch(process.env.ANDON + '/', { headers: { accept: 'text/html' } })
      console.log('arrived', (await page.text()).includes('<div id="root"'))
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  await app.close()
}
main()
`

for (const [type, load, runner] of [
  ['an ECMAScript module', `import fastify from 'fastify'\nconst app = fastify()`, 'app.mjs'],
  ['CommonJS', `const app = require('fastify')()`, 'app.cjs'],
] as const) {
  test(`andon run with a program that is ${type}: a server starts with its page, the request arrives, both end`, { timeout: 120_000 }, async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    writeFileSync(join(folder, runner), `${load}\n${BODY}`)
    const { NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...env } = process.env
    const main = join(folder, 'node_modules/@andon/cli/dist/main.js')
    const { stdout, stderr } = await run(process.execPath, [main, 'run', '--url', url, '--data-dir', join(folder, `data-${runner}`), '--', process.execPath, runner], { cwd: folder, env: { ...env, ANDON: url, OTEL_SERVICE_NAME: 'packed' }, timeout: 100_000 })
    assert.equal(stdout, 'arrived true\n', stderr)
    assert.match(stderr, new RegExp(`starting one\\.\nDashboard: ${url}\n$`))
    await assert.rejects(fetch(url))
  })
}

test('a package holds what its manifest names, no test, and says its licence', () => {
  for (const name of NAMES) {
    const place = join(folder, 'node_modules/@andon', name)
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>; readonly bin?: Readonly<Record<string, string>>; readonly license?: string }
    const files = readdirSync(place, { recursive: true, encoding: 'utf8' }).map((file) => `./${file.replaceAll('\\', '/')}`)
    const named = [...Object.values(manifest.exports ?? {}).flatMap((each) => (typeof each === 'string' ? [each] : Object.values(each))), ...Object.values(manifest.bin ?? {}).map((each) => `./${each.replace(/^\.\//, '')}`)]
    for (const file of named) assert.ok(files.includes(file), `@andon/${name} has no ${file}`)
    assert.deepEqual(files.filter((file) => /\.test\.|\.stamp$/.test(file) && !file.includes('/node_modules/')), [], `@andon/${name}`)
    assert.equal(manifest.license, 'Apache-2.0')
  }
})

test('a package brings its licence and says what it is; what its page imports is there', { timeout: 60_000 }, async () => {
  const licence = readFileSync(join(root, 'LICENSE'), 'utf8')
  const imports: string[] = []
  for (const name of NAMES) {
    const place = join(folder, 'node_modules/@andon', name)
    assert.equal(readFileSync(join(place, 'LICENSE'), 'utf8'), licence, `@andon/${name}`)
    const page = readFileSync(join(place, 'README.md'), 'utf8')
    assert.match(page, new RegExp(`^# @andon/${name}\n\n\\S`))
    assert.match(page, /\nApache-2\.0\n$/)
    for (const [, names = '', from = ''] of page.matchAll(/^ *import \{ ([^}]+) \} from '([^']+)'$/gm)) {
      imports.push(`for (const name of ${JSON.stringify(names.split(', '))}) if (!(name in (await import('${from}')))) throw new Error('${from} has no ' + name)`)
    }
  }
  assert.ok(imports.length >= 6)
  writeFileSync(join(folder, 'pages.mjs'), imports.join('\n'))
  await run(process.execPath, ['pages.mjs'], { cwd: folder })
})
