// Andon whole: what agent, server and an open dashboard take of the machine under a team's traffic on the kanban.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { cpuOf, familyOf, machine, type MeasureOptions, proportionalOf } from '@andon/bench'
import { chromium } from 'playwright-core'
import { stopProgram } from '../agent/application/child.ts'
import { startEmbedded } from '../agent/application/postgres.ts'
import { ANDON, BARE, type Subject } from '../agent/subjects/subjects.ts'
import { startAndon } from '../server/programs.ts'
import { threadCpu, threadText } from '../server/threads.ts'
import { createDatabases, type Kanban, startKanban } from './kanban.ts'

/** What `npm start` sends. */
const PER_SECOND = 5
const GOAL = 0.05
const MIB = 2 ** 20
/** Until the profile and the budget, which leave the start of a program out, have begun. */
const BOOT_SECONDS = 15
const SHOWN_MS = 60_000

const AT_DEFAULTS: Subject = { ...ANDON, name: 'andon', env: (collector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SERVICE_NAME: 'kanban' }) }

/** CPU milliseconds and bytes by part. */
interface Use {
  readonly cpuMs: number
  readonly bytes: number
}
type Parts = Readonly<Record<'agent' | 'server' | 'page', Use>>

interface Scene {
  readonly bare: Kanban
  readonly watched: Kanban
  readonly server: number
  /** The browser; undefined while no page is open. */
  readonly browser: number | undefined
}

function useOf(pids: readonly number[]): Use {
  return { cpuMs: pids.reduce((sum, pid) => sum + cpuOf(pid), 0), bytes: pids.reduce((sum, pid) => sum + proportionalOf(pid), 0) }
}

const pidOf = ({ program }: Kanban): number => program.child.pid ?? 0
const less = (a: Use, b: Use): Use => ({ cpuMs: a.cpuMs - b.cpuMs, bytes: a.bytes - b.bytes })

/** The agent is what the kanban with it uses more than the other. */
function partsOf({ bare, watched, server, browser }: Scene): Parts {
  return { agent: less(useOf([pidOf(watched)]), useOf([pidOf(bare)])), server: useOf([server]), page: useOf(browser === undefined ? [] : familyOf(browser)) }
}

interface Block {
  readonly parts: Parts
  readonly wallMs: number
  /** Of the server. */
  readonly threads: string
}

async function block(scene: Scene, seconds: number): Promise<Block> {
  const before = partsOf(scene)
  const began = threadCpu(scene.server)
  const begun = performance.now()
  await Promise.all([scene.bare, scene.watched].map(({ load }) => load.run(PER_SECOND, seconds)))
  const after = partsOf(scene)
  const wallMs = performance.now() - begun
  const part = (name: keyof Parts): Use => ({ cpuMs: after[name].cpuMs - before[name].cpuMs, bytes: after[name].bytes })
  return { parts: { agent: part('agent'), server: part('server'), page: part('page') }, wallMs, threads: threadText(began, threadCpu(scene.server), { what: 'the server, a second', count: wallMs / 1000 }) }
}

const percent = (ratio: number): string => `${(ratio * 100).toFixed(2)} %`
const cores = cpus().length

function share({ wallMs }: Block, { cpuMs }: Use): number {
  return cpuMs / (wallMs * cores)
}

function total({ parts }: Block): Use {
  return Object.values(parts).reduce((sum: Use, each) => ({ cpuMs: sum.cpuMs + each.cpuMs, bytes: sum.bytes + each.bytes }), { cpuMs: 0, bytes: 0 })
}

function row(name: string, blocks: readonly Block[], of: (one: Block) => Use): string {
  return `| ${name} | ${blocks.map((one) => `${percent(share(one, of(one)))} | ${(of(one).bytes / MIB).toFixed(0)} MiB (${percent(of(one).bytes / totalmem())})`).join(' | ')} |`
}

function report(closed: Block, open: Block | undefined, seconds: number): string {
  const blocks = [closed, ...(open === undefined ? [] : [open])]
  const last = open ?? closed
  const taken = share(last, total(last))
  return [
    '### Andon whole, under a team\'s traffic on the kanban',
    '',
    `| | no page open: CPU | memory |${open === undefined ? '' : ' the overview open: CPU | memory |'}`,
    `|---|---|---|${open === undefined ? '' : '---|---|'}`,
    row('agent, in the kanban', blocks, ({ parts }) => parts.agent),
    row('server', blocks, ({ parts }) => parts.server),
    row('browser with the page', blocks, ({ parts }) => parts.page),
    row('all', blocks, total),
    '',
    `CPU is a share of the machine's ${cores} cores. Goal with a page open: at most ${percent(GOAL)}, measured ${percent(taken)}: ${open === undefined ? 'not measured, no Chromium here' : taken <= GOAL ? 'kept' : 'missed'}.`,
    '',
    ...blocks.flatMap(({ threads }, index) => (threads === '' ? [] : [`${index === 0 ? 'No page open' : 'The overview open'}. ${threads}`, ''])),
    `${PER_SECOND} requests a second by the kanban's own team on each of two kanbans with the same work, one without an agent: the agent is the difference of their CPU and memory. The agent at its defaults, so with traces, metrics, profiles and its budget; ${seconds} s each after ${BOOT_SECONDS} s. ` +
      'The browser is all processes of a Chromium without a window, whose memory is its own rather than the page\'s. Memory with shared pages divided among those that share them.',
    '',
    `${machine()}.`,
    '',
  ].join('\n')
}

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'

/** The process that has no other of the browser above it. */
function browserOf(before: readonly number[]): number {
  return familyOf(process.pid).find((pid) => !before.includes(pid)) ?? 0
}

/** Opens the overview and measures. */
async function withPage(scene: Scene, url: string, seconds: number): Promise<Block> {
  const before = familyOf(process.pid)
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-background-networking'] })
  try {
    const pid = browserOf(before)
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    await page.goto(url)
    await page.waitForLoadState('load')
    // The page draws when the first live answer has come.
    const until = performance.now() + SHOWN_MS
    while (!(await page.locator('body').innerText()).includes('kanban')) {
      if (performance.now() > until) throw new Error('the overview does not show the kanban')
      await wait(500)
    }
    await wait(5000)
    return await block({ ...scene, browser: pid }, seconds)
  } finally {
    await browser.close()
  }
}

/** @returns a report in Markdown */
export async function measure(options: MeasureOptions): Promise<string> {
  const seconds = options.isQuick ? 5 : 60
  const folder = mkdtempSync(join(tmpdir(), 'andon-bench-'))
  const ends: (() => Promise<void>)[] = [() => Promise.resolve(rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))]
  try {
    const server = await startAndon(join(folder, 'andon'))
    ends.unshift(() => server.stop())
    const postgres = await startEmbedded(join(folder, 'postgres'))
    ends.unshift(() => postgres.stop())
    const [first = '', second = ''] = await createDatabases(postgres.connectionString, 2)
    const start = async (subject: Subject, database: string): Promise<Kanban> => {
      const kanban = await startKanban(subject, database, server.url)
      ends.unshift(() => stopProgram(kanban.program))
      return kanban
    }
    const [bareSubject = AT_DEFAULTS] = BARE
    const scene: Scene = { bare: await start(bareSubject, first), watched: await start(AT_DEFAULTS, second), server: server.pid, browser: undefined }
    await Promise.all([scene.bare, scene.watched].map(({ load }) => load.run(PER_SECOND, BOOT_SECONDS)))
    const closed = await block(scene, seconds)
    const open = existsSync(CHROMIUM) ? await withPage(scene, server.url, seconds) : undefined
    return report(closed, open, seconds)
  } finally {
    for (const end of ends) await end()
  }
}
