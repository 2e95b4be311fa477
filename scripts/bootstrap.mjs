// Makes a fresh clone runnable with nothing but Node and npm: installs when the lockfile changed, builds what
// changed, then hands over to the program named by --then. It is the one script in plain JavaScript, because it
// runs before TypeScript is there.
// @ts-check
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')

/** The pages built by Vite: what they are made from, and where a stamp of that is kept. */
const pages = [
  { name: 'dashboard', folder: 'packages/dashboard', sources: ['src', 'index.html', 'public', 'vite.config.ts', 'package.json'] },
  { name: 'kanban page', folder: 'apps/kanban', sources: ['web', 'vite.config.ts', 'package.json'] },
]

/** @param {string} text */
function say(text) {
  process.stderr.write(`${text}\n`)
}

/** @param {number} since */
function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  say(`Andon needs Node.js 20.19 or later; this is ${process.versions.node}. Versions 22 and 24 are recommended.`)
  process.exit(2)
}

/**
 * Runs a command and shows its output only when it fails, with a line of progress meanwhile.
 *
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 */
async function step(title, command, args, cwd) {
  const begun = Date.now()
  say(`${title} …`)
  const tick = setInterval(() => say(`  still at it after ${seconds(begun)}`), 10_000)
  /** @type {Buffer[]} */
  const output = []
  const code = await new Promise((done) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`))
      done(1)
    })
    child.on('close', done)
  })
  clearInterval(tick)
  if (code === 0) return say(`  done in ${seconds(begun)}`)
  process.stderr.write(Buffer.concat(output))
  say(`${title} failed.`)
  process.exit(1)
}

/** @param {string} path @param {string} content */
function stamped(path, content) {
  return existsSync(path) && readFileSync(path, 'utf8') === content
}

/** @param {string} path @param {import('node:crypto').Hash} hash */
function digest(path, hash) {
  if (!existsSync(path)) return
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).toSorted()) digest(join(path, name), hash)
  } else {
    hash.update(relative(root, path)).update(readFileSync(path))
  }
}

async function install() {
  const stamp = join(root, 'node_modules/.andon-lock')
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
  const wanted = `${lock} ${process.platform} ${process.arch}`
  if (stamped(stamp, wanted)) return
  await step('Installing (about 900 MB, most of it the embedded ClickHouse)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], root)
  writeFileSync(stamp, wanted)
}

async function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await step('Compiling', process.execPath, [tsc, '-b'], root)
}

/** The documentation's runbooks are part of the server, which is installed without the documentation. */
function copyRunbooks() {
  const copy = join(root, 'packages/server/dist/runbooks')
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(root, 'docs/runbooks'), copy, { recursive: true })
}

/**
 * The agent in three files instead of two hundred: Node takes about half a millisecond for each module, which the host
 * would wait for at every start. CommonJS, because `require` and `import` take it alike, and share one copy of it.
 */
async function bundleAgent() {
  const folder = join(root, 'packages/agent')
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).update(readFileSync(fileURLToPath(import.meta.url)))
  for (const name of ['agent', 'model', 'wire']) digest(join(root, 'packages', name, 'dist'), hash)
  const wanted = hash.digest('hex')
  const stamp = join(folder, 'bundle/.stamp')
  if (stamped(stamp, wanted)) return
  say('Bundling the agent …')
  const { build } = await import('rolldown')
  await build({
    cwd: folder,
    platform: 'node',
    input: { index: 'dist/index.js', register: 'dist/register.js', recorder: 'dist/recorder.js' },
    // Native code, and what is loaded only once the library that it instruments is.
    external: [/^node:/, /^@andon\/agent/, /^@datadog\//, /^@opentelemetry\/instrumentation/],
    output: {
      dir: 'bundle',
      format: 'cjs',
      cleanDir: true,
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      // All but the entries in one file: Node reads the names of an entry off its text, where it would find those of packages.
      codeSplitting: { groups: [{ name: 'agent', test: /[/\\](?!(?:index|register|recorder)\.js$)[^/\\]+$/ }] },
    },
    logLevel: 'warn',
  })
  writeFileSync(stamp, wanted)
}

async function buildPages() {
  for (const page of pages) {
    const folder = join(root, page.folder)
    const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')))
    for (const source of page.sources) digest(join(folder, source), hash)
    const wanted = hash.digest('hex')
    const stamp = join(folder, 'dist-web/.stamp')
    if (stamped(stamp, wanted)) continue
    rmSync(stamp, { force: true })
    await step(`Building the ${page.name}`, process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--logLevel', 'warn'], folder)
    mkdirSync(dirname(stamp), { recursive: true })
    writeFileSync(stamp, wanted)
  }
}

checkNode()
const then = process.argv.indexOf('--then')
await install()
await compile()
copyRunbooks()
await bundleAgent()
await buildPages()
if (then >= 0) {
  const program = join(root, process.argv[then + 1] ?? '')
  process.argv = [process.argv[0] ?? 'node', program, ...process.argv.slice(2, then), ...process.argv.slice(then + 2)]
  await import(pathToFileURL(program).href)
}
