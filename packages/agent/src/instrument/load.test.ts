// The watched loader on packages made for the test, loaded by `require` and by `import`.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import { watchEcmaScript } from './esm.ts'
import { applyPatches, beforeModule, forgetModules, onModule, patchBuiltin, patchLoaded, wantedNames, watchModules } from './load.ts'
import { forgetOutcomes, outcomes } from './outcomes.ts'
import { get } from './wrap.ts'

/** A folder of files that is gone after the test. */
function tree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'andon-load-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  t.after(() => {
    rmSync(root, { recursive: true, force: true })
    forgetModules()
    forgetOutcomes()
  })
  return root
}

/** A CommonJS package `name` whose `answer()` says where it is. */
function packageFiles(folder: string, name: string, version: string): Record<string, string> {
  return {
    [`${folder}/${name}/package.json`]: JSON.stringify({ name, version, main: 'lib/main.js' }),
    [`${folder}/${name}/lib/main.js`]: `exports.answer = () => ${JSON.stringify(version)}; exports.inner = require('./inner')`,
    [`${folder}/${name}/lib/inner.js`]: `module.exports = () => 'inner'`,
  }
}

function answerOf(exports: unknown): unknown {
  const answer = get(exports, 'answer')
  return typeof answer === 'function' ? answer() : undefined
}

function mark(exports: unknown): void {
  const answer = get(exports, 'answer')
  if (typeof answer === 'function' && typeof exports === 'object' && exports !== null) Reflect.set(exports, 'answer', () => `patched ${String(answer())}`)
}

watchModules()

test('every copy of a package in the tree is patched once, by require and by import alike, and both get the same module', async (t) => {
  const root = tree(t, { ...packageFiles('node_modules', 'one', '1.2.3'), ...packageFiles('node_modules/other/node_modules', 'one', '1.9.0'), 'node_modules/other/package.json': '{"name":"other","version":"1.0.0"}', 'node_modules/other/index.js': `module.exports = require("one")` })
  onModule('one', { versions: '^1.0.0' }, mark)
  const load = createRequire(join(root, 'app.js'))
  const imported: unknown = await import(pathToFileURL(join(root, 'node_modules/one/lib/main.js')).href)
  assert.equal(answerOf(imported), 'patched 1.2.3')
  assert.equal(answerOf(load('one')), 'patched 1.2.3')
  assert.equal(answerOf(load('other')), 'patched 1.9.0')
  assert.equal(get(imported, 'default'), load('one'))
  assert.deepEqual(outcomes().map(({ name, version, by, reason }) => [name, version, by, reason]), [['one', '1.2.3', 'andon', undefined], ['one', '1.9.0', 'andon', undefined]])
})

test('a file within a package is patched, and what a patch returns is exported instead, also for a scoped package', (t) => {
  const root = tree(t, packageFiles('node_modules', '@scope/two', '2.0.0'))
  onModule('@scope/two', { versions: '*', file: 'lib/inner.js' }, () => () => 'replaced')
  const inner = get(createRequire(join(root, 'app.js'))('@scope/two'), 'inner')
  assert.equal(typeof inner === 'function' && inner(), 'replaced')
})

test('a copy that is installed under an alias is patched as well, beside one under its own name', (t) => {
  const aliased = Object.fromEntries(Object.entries(packageFiles('node_modules', 'eleven', '1.0.0')).map(([path, text]) => [path.replace('node_modules/eleven', 'node_modules/eleven-old'), text]))
  const root = tree(t, { ...aliased, ...packageFiles('node_modules', 'eleven', '2.0.0'), ...packageFiles('node_modules', 'stranger', '1.0.0') })
  onModule('eleven', { versions: '*', file: 'lib/inner.js' }, (_exports, { name, version }) => () => `${name} ${version}`)
  onModule('eleven', { versions: '*' }, mark)
  const load = createRequire(join(root, 'app.js'))
  const inner = (name: string): unknown => {
    const found = get(load(name), 'inner')
    return typeof found === 'function' ? found() : undefined
  }
  assert.deepEqual(['eleven-old', 'eleven', 'stranger'].map(inner), ['eleven 1.0.0', 'eleven 2.0.0', 'inner'])
  assert.equal(answerOf(load('eleven')), 'patched 2.0.0')
  assert.deepEqual(outcomes().map(({ name, version }) => `${name} ${version}`), ['eleven 1.0.0', 'eleven 2.0.0'])
})

test('versions out of range and patches that throw leave the module as it is and are told with the reason', (t) => {
  const root = tree(t, { ...packageFiles('node_modules', 'three', '3.0.0'), ...packageFiles('node_modules', 'four', '4.0.0-beta.1') })
  onModule('three', { versions: '>=1 <3' }, mark)
  onModule('four', { versions: '>=4.0.0-alpha' }, () => {
    throw new Error('no such method')
  })
  const load = createRequire(join(root, 'app.js'))
  assert.deepEqual([answerOf(load('three')), answerOf(load('four'))], ['3.0.0', '4.0.0-beta.1'])
  assert.deepEqual(outcomes().map(({ name, reason, detail }) => [name, reason, detail]), [['three', 'version out of range', '>=1 <3'], ['four', 'patch failed', 'no such method']])
})

test('each range of versions has its own patch, and only a version that none serves is told', (t) => {
  const root = tree(t, packageFiles('node_modules', 'five', '5.1.0'))
  onModule('five', { versions: '^4' }, () => assert.fail('the patch of another version'))
  onModule('five', { versions: '^5' }, mark)
  assert.equal(answerOf(createRequire(join(root, 'app.js'))('five')), 'patched 5.1.0')
  assert.deepEqual(outcomes().map(({ reason }) => reason), [undefined])
})

test('what was loaded before is patched in place; what would have to be replaced is told', (t) => {
  const root = tree(t, { ...packageFiles('node_modules', 'six', '6.0.0'), ...packageFiles('node_modules', 'seven', '7.0.0') })
  const load = createRequire(join(root, 'app.js'))
  const six: unknown = load('six')
  const seven: unknown = load('seven')
  onModule('six', { versions: '*' }, mark)
  onModule('seven', { versions: '*' }, () => ({}))
  patchLoaded()
  patchLoaded()
  assert.deepEqual([answerOf(six), answerOf(seven)], ['patched 6.0.0', '7.0.0'])
  assert.deepEqual(outcomes().map(({ name, reason }) => [name, reason]), [['six', undefined], ['seven', 'loaded before the agent']])
})

test('an instrumentation is loaded when its target is, and not for one that is never loaded', (t) => {
  const root = tree(t, packageFiles('node_modules', 'eight', '8.0.0'))
  const prepared: string[] = []
  for (const name of ['eight', 'nine']) {
    beforeModule(name, {}, () => {
      prepared.push(name)
      onModule(name, { versions: '*' }, mark)
    })
  }
  const load = createRequire(join(root, 'app.js'))
  assert.equal(answerOf(load('eight')), 'patched 8.0.0')
  assert.deepEqual(prepared, ['eight'])
})

test('functions and classes of an ECMAScript module are replaced for who imports them; what is not there does no harm', async (t) => {
  const text = `export function plain() { return 'plain' }\nexport class Kind { hello() { return 'hello' } }\nexport const fixed = () => plain()\n// the end`
  const root = tree(t, { 'node_modules/ten/package.json': '{"name":"ten","version":"1.0.0","type":"module","exports":"./main.js"}', 'node_modules/ten/main.js': `export { plain, Kind, fixed } from './inner.js'`, 'node_modules/ten/inner.js': text, 'app.mjs': `import * as ten from 'ten'\nexport default ten` })
  onModule('ten', { versions: '^1', file: 'inner.js', names: ['plain', 'Kind', 'missing', 'not a name'] }, (exports) => {
    assert.equal(get(exports, 'missing'), undefined)
    const kind = get(exports, 'Kind')
    if (typeof kind === 'function') kind.prototype.hello = () => 'patched hello'
    return { ...(typeof exports === 'object' ? exports : {}), plain: () => 'patched plain' }
  })
  const cwd = process.cwd()
  process.chdir(root)
  t.after(() => process.chdir(cwd))
  watchEcmaScript(wantedNames(), applyPatches)
  const app: { readonly default: Record<string, unknown> } = await import(pathToFileURL(join(root, 'app.mjs')).href)
  const { plain, Kind, fixed } = app.default
  assert.ok(typeof plain === 'function' && typeof Kind === 'function' && typeof fixed === 'function')
  assert.deepEqual([plain(), fixed(), Reflect.construct(Kind, []).hello()], ['patched plain', 'patched plain', 'patched hello'])
  assert.deepEqual(outcomes().map(({ name, reason }) => [name, reason]), [['ten', undefined]])
})

test('a part of Node is patched for both kinds of importers', async (t) => {
  const original = process.getBuiltinModule('node:querystring').escape
  t.after(() => patchBuiltin('querystring', 'andon', (exports) => typeof exports === 'object' && exports !== null && Reflect.set(exports, 'escape', original)))
  patchBuiltin('querystring', 'andon', (exports) => typeof exports === 'object' && exports !== null && Reflect.set(exports, 'escape', () => 'patched'))
  const { escape } = await import('node:querystring')
  assert.equal(escape('x'), 'patched')
})
