#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { Command, CommanderError } from 'commander'
import { alerts, type AlertsFlags } from './alerts.ts'
import { backtestRules, type BacktestFlags } from './backtest.ts'
import { check } from './check.ts'
import { printConfig } from './config.ts'
import { coverage } from './coverage.ts'
import { deploy, type DeployFlags } from './deploy.ts'
import { detectors, type DetectorsFlags } from './detectors.ts'
import { CommandError, EXIT } from './exit.ts'
import { testChannel } from './notify.ts'
import { addIncidentCommands } from './incident-commands.ts'
import { profile, type ProfileFlags } from './profile.ts'
import { query } from './query.ts'
import { checkRules, testRules } from './rules.ts'
import { run } from './run.ts'
import { serve, type ServeFlags } from './serve.ts'
import { type AddFlags, addSilence, expireSilences, type ListFlags, listSilences } from './silence.ts'
import { checkObjectives, listObjectives, reportAgreement, showObjective } from './slo.ts'

const DEFAULT_URL = 'http://127.0.0.1:4318'
const url = process.env['ANDON_URL'] ?? DEFAULT_URL

function version(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return String(typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'version') : 'unknown')
}

const token = (): { readonly token: string | undefined } => ({ token: process.env['ANDON_TOKEN'] })

const program = new Command('andon')
  .description('Monitoring for Node.js services')
  .version(version())
  .showHelpAfterError('(andon --help shows the commands)')
  .enablePositionalOptions()
  .exitOverride()

program
  .command('serve')
  .description('run the server')
  .option('--host <address>', 'where to listen (ANDON_HOST, 127.0.0.1)')
  .option('--port <number>', 'the port of OTLP/HTTP, APIs and dashboard (ANDON_PORT, 4318)')
  .option('--data-dir <folder>', 'where all data are kept (ANDON_DATA_DIR, .andon/server)')
  .option('--log-level <level>', 'debug, info, warn or error (ANDON_LOG_LEVEL, info)')
  .option('--config <file>', 'a configuration file (ANDON_CONFIG, andon.yaml)')
  .action(async (flags: ServeFlags) => {
    process.exitCode = await serve(flags)
  })

program
  .command('query')
  .description('run one PromQL expression on a server')
  .argument('<expression>')
  .option('--range <duration>', 'show the course over this time, such as 15m')
  .option('--step <duration>', 'between the values of a course')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (expression: string, flags: { url: string; range?: string; step?: string; json?: boolean }) => {
    process.stdout.write(`${await query(expression, { ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

program
  .command('coverage')
  .description('say which critical operations have data, and which have none')
  .option('--service <name>', 'one service only')
  .option('--json', 'JSON instead of text')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: { url: string; service?: string; json?: boolean }) => {
    process.stdout.write(`${await coverage({ ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

program
  .command('deploy')
  .description('mark a release, so that what follows is held against what was before')
  .requiredOption('--service <name>', 'the service that is released')
  .requiredOption('--version <version>', 'the version that it has from now on')
  .option('--environment <name>', 'in one environment only')
  .option('--note <text>', 'such as a commit or the address of a build')
  .option('--at <time>', 'when: ISO 8601, milliseconds since 1970 or now-15m; now when absent')
  .option('--json', 'JSON instead of text')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: Omit<DeployFlags, 'token'>) => {
    process.stdout.write(`${await deploy({ ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

program
  .command('detectors')
  .description('say which series are watched, what is expected of them, and how far they are trusted')
  .option('--service <name>', 'one service only')
  .option('--firing', 'only those that alarm')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: Omit<DetectorsFlags, 'token'>) => {
    process.stdout.write(`${await detectors({ ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

program
  .command('profile')
  .description('take a profile of a running service: where time goes, who holds memory, or what allocates')
  .option('--service <name>', 'of a service, all its instances')
  .option('--instance <id>', 'of one instance')
  .option('--pid <pid>', 'of a process on this machine')
  .option('--seconds <number>', 'how long', '10')
  .option('--type <type>', 'cpu, heap or allocation', 'cpu')
  .option('--out <file>', 'where pprof is written; a name with service and time in this folder')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(profileUntilSignal)

program
  .command('check')
  .description('check a configuration file')
  .argument('<file>')
  .action(async (file: string) => {
    process.stdout.write(`${await check(file)}\n`)
  })

const rules = program.command('rules').description('rules that alert or record')

rules
  .command('test')
  .description('run tests of rules, written as for promtool test rules')
  .argument('<files...>')
  .action(async (files: string[]) => {
    process.stdout.write(`${await testRules(files)}\n`)
  })

rules
  .command('check')
  .description('check files of rules, written as Prometheus has them')
  .argument('<files...>')
  .action(async (files: string[]) => {
    process.stdout.write(`${await checkRules(files)}\n`)
  })

rules
  .command('backtest')
  .description('say what alerting rules would have told of the past')
  .argument('[file]', 'a file of rules')
  .option('--expr <expression>', 'one expression in place of a file')
  .option('--for <duration>', 'of the expression: how long it must hold')
  .option('--keep-firing-for <duration>', 'of the expression: how long it fires on')
  .option('--rule <name>', 'one rule of the file only')
  .option('--days <number>', 'how far back (14)')
  .option('--interval <duration>', 'between two evaluations, where it shall not be the rule’s own')
  .option('--json', 'JSON instead of text')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (file: string | undefined, flags: BacktestFlags) => {
    process.stdout.write(`${await backtestRules(file, { ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

program
  .command('alerts')
  .description('say what fires, what holds it back, and who is told')
  .option('--service <name>', 'one service only')
  .option('--filter <matcher...>', 'only where this holds, such as severity=critical')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: AlertsFlags) => {
    process.stdout.write(`${await alerts({ ...flags, ...token() })}\n`)
  })

const silence = program.command('silence').description('alerts that are not told for a time')

silence
  .command('add')
  .description('silence alerts: andon silence add service_name=shop --duration 2h --comment "we deploy"')
  .argument('<matchers...>', 'such as service_name=shop or severity=~"warning|info"; one without an operator is the name of an alert')
  .requiredOption('--duration <duration>', 'how long, such as 2h')
  .requiredOption('--comment <text>', 'why')
  .option('--start <time>', 'when it begins: ISO 8601 or now+1h; now')
  .option('--author <name>', 'who asks for it; the name of the user')
  .option('--json', 'JSON instead of the id')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (matchers: string[], flags: AddFlags) => {
    process.stdout.write(`${await addSilence(matchers, { ...flags, ...token() })}\n`)
  })

silence
  .command('list')
  .description('silences that hold or will')
  .option('--all', 'those that have ended too')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: ListFlags) => {
    process.stdout.write(`${await listSilences({ ...flags, ...token() })}\n`)
  })

silence
  .command('expire')
  .description('end silences')
  .argument('<ids...>')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (ids: string[], flags: { url: string }) => {
    process.stdout.write(`${await expireSilences(ids, { ...flags, ...token() })}\n`)
  })

program
  .command('notify')
  .description('channels by which people are told')
  .command('test')
  .description('send a test message by a channel')
  .argument('<channel>', 'as GET /api/notifications/channels lists it, such as oncall.slack')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (channel: string, flags: { url: string }) => {
    process.stdout.write(`${await testChannel(channel, { ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

addIncidentCommands(program, url, process.env['ANDON_TOKEN'])

const slo = program.command('slo').description('objectives, their error budgets, and agreements')

slo
  .command('list')
  .description('all objectives, those that are worst off first')
  .option('--service <name>', 'one service only')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (flags: { url: string; service?: string; json?: boolean }) => {
    process.stdout.write(`${await listObjectives({ ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

slo
  .command('show')
  .description('one objective: its windows, burn rates, and who spent its budget')
  .argument('<id>')
  .option('--json', 'JSON instead of a table')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (id: string, flags: { url: string; json?: boolean }) => {
    process.stdout.write(`${await showObjective(id, { ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

slo
  .command('report')
  .description('whether an agreement was kept, with the evidence')
  .argument('<id>')
  .option('--month <period>', 'such as 2026-11, 2026-Q4 or 2026; the one under way when absent')
  .option('--format <format>', 'md, csv or json', 'md')
  .option('--out <file>', 'a file instead of standard output')
  .option('--url <url>', 'the server (ANDON_URL)', url)
  .action(async (id: string, flags: { url: string; month?: string; format: string; out?: string }) => {
    process.stdout.write(`${await reportAgreement(id, { ...flags, token: process.env['ANDON_TOKEN'] })}\n`)
  })

slo
  .command('check')
  .description("check files of objectives: Andon's own, OpenSLO's and Sloth's")
  .argument('<files...>')
  .action(async (files: string[]) => {
    process.stdout.write(`${await checkObjectives(files)}\n`)
  })

program
  .command('config')
  .description('the options of the agent')
  .command('print')
  .description('print the options with which an agent would start here, and where each comes from')
  .option('--json', 'JSON instead of a table')
  .action((flags: { json?: boolean }) => {
    process.stdout.write(`${printConfig(flags.json === true)}\n`)
  })

program
  .command('run')
  .description('run a program with the agent attached: andon run -- node app.js')
  .argument('<command...>')
  .option('--url <url>', 'the server; one is started when none answers here (ANDON_URL)', url)
  .option('--service <name>', 'the name of the service (OTEL_SERVICE_NAME)')
  .option('--data-dir <folder>', 'where a server started by this keeps its data')
  .passThroughOptions()
  .action(async (command: string[], flags: { url: string; service?: string; dataDir?: string }) => {
    process.exitCode = await run(command, flags)
  })

/** Ctrl+C takes back what was asked of the agents; a second one ends at once. */
async function profileUntilSignal(flags: ProfileFlags): Promise<void> {
  const ended = new AbortController()
  const stop = (signal: NodeJS.Signals): void => ended.abort(signal)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    process.stdout.write(`${await profile({ ...flags, token: process.env['ANDON_TOKEN'] }, { signal: ended.signal, say: (line) => void process.stderr.write(`${line}\n`) })}\n`)
  } catch (error) {
    if (!ended.signal.aborted) throw error
    const given: unknown = ended.signal.reason
    const signal = signals.find((each) => each === given) ?? 'SIGINT'
    process.stderr.write('Ended; the agents return to what was wanted of them before.\n')
    process.exitCode = 128 + constants.signals[signal]
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}

/** Commander has said its part already. */
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  process.stderr.write(`andon: ${error instanceof CommandError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return error instanceof CommandError ? error.code : EXIT.problem
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = codeOf(error)
}
