import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AndonError, type Labels, type Milliseconds } from '@andon/model'
import type { Token } from './api/guard.ts'
import { badConfig, ConfigFile, type FileOptions, fit, type OptionSpec } from './config-file.ts'
import { asGiven, certificates, grpcPort, identifier, passwordFromFile, readScrape, readTokens, serverUrl, someLabels, someText, someTexts, someUrl, tokenFromFile, tokenFromText, wholeNumber, word } from './config-values.ts'
import { defaultDetect, type DetectOptions, readDetect } from './detect/schema.ts'
import { type IncidentOptions, readIncidentOptions } from './incidents/schema.ts'
import { defaultLimits, type Limits } from './runtime/limits.ts'
import type { LogLevel } from './runtime/log.ts'
import { SCRAPE_KIND, type ScrapeJob } from './ingest/scrape/jobs.ts'
import { readConfiguredRules } from './rules/configured.ts'
import type { RuleGroup } from './rules/definition.ts'
import { defaultTelemetry, readTelemetryOptions, type TelemetryOptions } from './rules/telemetry.ts'
import { defaultObjectives, type ObjectivesOptions, readObjectivesOptions } from './slo/schema.ts'
import { defaultDisk, type DiskOptions } from './store/disk-marks.ts'
import type { ServerOptions } from './store/engine-server.ts'
import { defaultRetention, type Retention, RETENTION_KEYS, retentionFault, wholeRetention } from './store/retention.ts'
import { checkReceivers, defaultTold, readTold, type ToldOptions } from './telling-options.ts'

/** Which rules are evaluated, and how. */
export interface RulesOptions {
  /** Files of rules as Prometheus has them; the last part of a path may hold `*`. */
  readonly files: readonly string[]
  /** Between two evaluations of a group that does not say it. */
  readonly intervalMs: Milliseconds
  /** How far before the evaluation the rules of a group look that does not say it. */
  readonly queryOffsetMs: Milliseconds
  /** For templates. */
  readonly externalLabels: Labels
  /** Rules in the simple form. */
  readonly simple: readonly RuleGroup[]
  /** When a source counts as silent, and what is told then. */
  readonly telemetryMissing: TelemetryOptions
}

/** How a server is set up. */
export interface Options extends ToldOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Where OTLP over gRPC is taken; `auto`: on 4317 where `port` is 4318 and nobody holds it. */
  readonly grpcPort: number | 'auto' | 'off'
  /** Further names by which the server may be called. */
  readonly allowedHosts: readonly string[]
  /** Where all data are kept, unless a ClickHouse server keeps them; made when it is not there. */
  readonly dataDir: string
  /** The ClickHouse server that keeps the data; undefined for the database inside. */
  readonly clickhouse: ServerOptions | undefined
  /** The built dashboard; undefined for the one that is installed. */
  readonly dashboardDir: string | undefined
  readonly logLevel: LogLevel
  readonly tokens: readonly Token[]
  /** How often a live page is given new results. */
  readonly liveIntervalMs: number
  readonly scrape: readonly ScrapeJob[]
  /** Where people reach this server, for links; '' where nobody said. */
  readonly externalUrl: string
  readonly rules: RulesOptions
  readonly objectives: ObjectivesOptions
  readonly incidents: IncidentOptions
  readonly detect: DetectOptions
  readonly retention: Required<Retention>
  readonly disk: DiskOptions
  readonly limits: Limits
}

/** Where options come from. The first that names an option wins: flags, environment, file, default. */
export interface Sources {
  /** Flags by option name, such as `listen.port`. */
  readonly flags?: Readonly<Record<string, string | undefined>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The configuration file; undefined for andon.yaml in the working directory, if there is one. */
  readonly file?: string | undefined
}

const snake = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const limitEntries = Object.entries(defaultLimits)
const retentionName = (key: string): string => `retention.${snake(key)}`
/** What is kept as long as spans unless it is set. */
const AS_SPANS = retentionName('spansDays')

/** Every option there is; docs/reference/options.md lists them, a test compares the two. */
export const OPTIONS: readonly OptionSpec[] = [
  { name: 'listen.host', env: 'ANDON_HOST', flag: '--host', kind: 'an address or host name', default: '127.0.0.1', read: someText },
  { name: 'listen.port', env: 'ANDON_PORT', flag: '--port', kind: 'a whole number from 0 to 65535; 0 lets the system choose', default: '4318', read: wholeNumber(0, 65_535) },
  { name: 'listen.grpc_port', env: 'ANDON_GRPC_PORT', kind: 'a whole number from 0 to 65535, auto or off', default: 'auto', read: grpcPort },
  { name: 'listen.allowed_hosts', env: 'ANDON_ALLOWED_HOSTS', kind: 'a list of `name` or `name:port`', default: '[]', read: someTexts },
  { name: 'data_dir', env: 'ANDON_DATA_DIR', flag: '--data-dir', kind: 'a folder', default: '.andon/server', read: someText },
  { name: 'store.url', env: 'CLICKHOUSE_URL', kind: 'http://HOST:PORT or https://HOST:PORT', default: 'the database inside', read: serverUrl },
  { name: 'store.user', env: 'CLICKHOUSE_USER', kind: 'a text', default: 'default', read: someText },
  { name: 'store.password_file', env: 'CLICKHOUSE_PASSWORD_FILE', kind: 'a file', default: 'no password', read: passwordFromFile },
  { name: 'store.database', env: 'CLICKHOUSE_DATABASE', kind: 'letters, digits and underscores', default: 'andon', read: identifier(/^[A-Za-z_]\w{0,62}$/, 'a name of letters, digits and underscores, at most 63') },
  { name: 'store.cluster', env: 'CLICKHOUSE_CLUSTER', kind: 'a name of system.clusters', default: 'no cluster', read: identifier(/^[\w{}.-]{1,100}$/, 'a name of letters, digits, dots, hyphens and underscores, or a macro in braces') },
  { name: 'store.ca_file', env: 'CLICKHOUSE_CA_FILE', kind: 'a file of certificates, PEM', default: 'those that Node knows', read: certificates },
  { name: 'store.lost_shards', env: 'CLICKHOUSE_LOST_SHARDS', kind: 'fail or skip', default: 'fail', read: word('fail', 'skip') },
  { name: 'dashboard_dir', env: 'ANDON_DASHBOARD_DIR', kind: 'a folder', default: 'the installed dashboard', read: someText },
  { name: 'log_level', env: 'ANDON_LOG_LEVEL', flag: '--log-level', kind: 'debug, info, warn or error', default: 'info', read: word('debug', 'info', 'warn', 'error') },
  { name: 'tokens', kind: 'a list of {name, role, sha256 or file}', default: '[]', read: readTokens },
  { name: 'scrape', kind: SCRAPE_KIND, default: '[]', read: readScrape },
  { name: 'external_url', env: 'ANDON_EXTERNAL_URL', kind: 'an address that begins with http:// or https://', default: 'none', read: someUrl },
  { name: 'rules.files', env: 'ANDON_RULES', kind: 'a list of paths', default: '[]', read: someTexts },
  { name: 'rules.interval_ms', kind: 'a whole number of milliseconds from 1000 to 86400000', default: '15000', read: wholeNumber(1000, 86_400_000) },
  { name: 'rules.query_offset_ms', kind: 'a whole number of milliseconds from 0 to 3600000', default: '0', read: wholeNumber(0, 3_600_000) },
  { name: 'rules.external_labels', kind: 'NAME: TEXT', default: '{}', read: someLabels },
  { name: 'rules.simple', kind: 'a list of rules in the simple form', default: '[]', read: readConfiguredRules },
  { name: 'rules.telemetry_missing', kind: '{enabled, for, resolve_after, per, severity, ignore}', default: '{}', read: readTelemetryOptions },
  { name: 'objectives.files', env: 'ANDON_OBJECTIVES', kind: 'a list of paths', default: '[]', read: someTexts },
  { name: 'objectives.defaults', kind: 'true or false', default: 'true', read: (value) => readObjectivesOptions({ defaults: value }).defaults },
  { name: 'objectives.delay', kind: 'a duration from 1s to 1h', default: '15s', read: (value) => readObjectivesOptions({ delay: value }).delayMs },
  { name: 'objectives.backfill', kind: 'a duration from 1m to 90d', default: '7d', read: (value) => readObjectivesOptions({ backfill: value }).backfillMs },
  { name: 'alerting', kind: '{config_file}, or what an alertmanager.yml holds', default: '{}', read: asGiven },
  { name: 'notify', kind: '{receivers, smtp, fallback, allow_hosts, heartbeat, …}', default: '{}', read: asGiven },
  { name: 'incidents', kind: '{window, cooldown, open, join, escalation, on_call, …}', default: '{}', read: readIncidentOptions },
  { name: 'detect', kind: '{enabled, history_days, max_series}', default: '{}', read: readDetect },
  { name: 'live.interval_ms', kind: 'a whole number of milliseconds from 1000 to 60000', default: '5000', read: wholeNumber(1000, 60_000) },
  ...RETENTION_KEYS.map(
    (key): OptionSpec => ({ name: retentionName(key), kind: 'a whole number of days from 1 to 3650', default: String(defaultRetention[key] ?? AS_SPANS), read: wholeNumber(1, 3650) }),
  ),
  { name: 'disk.when_full', kind: 'drop or refuse', default: defaultDisk.whenFull, read: word('drop', 'refuse') },
  { name: 'disk.used_percent', kind: 'a whole number from 50 to 99', default: String(defaultDisk.usedPercent), read: wholeNumber(50, 99) },
  { name: 'disk.headroom_bytes', kind: 'a whole number from 1 to 1e15', default: String(defaultDisk.headroomBytes), read: wholeNumber(1, 1e15) },
  { name: 'disk.reserve_bytes', kind: 'a whole number from 1 to 1e15', default: String(defaultDisk.reserveBytes), read: wholeNumber(1, 1e15) },
  ...limitEntries.map(([key, limit]): OptionSpec => ({ name: `limits.${snake(key)}`, kind: 'a whole number from 1 to 1e12', default: String(limit), read: wholeNumber(1, 1e12) })),
]

const byName = new Map(OPTIONS.map((option) => [option.name, option]))


/** The retention that options say, by their names. */
function retentionOf(values: ReadonlyMap<string, unknown>): Required<Retention> {
  const given = RETENTION_KEYS.flatMap((key): [string, unknown][] => (values.has(retentionName(key)) ? [[key, values.get(retentionName(key))]] : []))
  return wholeRetention(Object.assign({}, defaultRetention, Object.fromEntries(given)))
}

/** Who is told of what; a secret that is named must be there. */
function toldOf(file: FileOptions, env: Readonly<Record<string, string | undefined>>): ToldOptions {
  try {
    const told = readTold(file.values.get('alerting'), file.values.get('notify'), env)
    const { incidents }: Pick<Options, 'incidents'> = Object.assign({ incidents: DEFAULTS.incidents }, file.values.has('incidents') && { incidents: file.values.get('incidents') })
    checkReceivers(incidents, told.notify)
    return told
  } catch (error) {
    const place = error instanceof AndonError ? file.placeOf(error.message) : undefined
    if (!(error instanceof AndonError) || place === undefined) throw error
    throw new AndonError('bad_config', `${place}: ${error.message}`, { cause: error, hint: error.hint })
  }
}

/**
 * Checks a configuration file; a secret that it names need not be here.
 *
 * @param text - its content, YAML
 * @param name - by which errors call it
 * @returns its options by name, as values
 * @throws AndonError bad_config naming file and line
 */
export function checkConfig(text: string, name: string): ReadonlyMap<string, unknown> {
  const file = fileOptions(text, name)
  toldOf(file, process.env)
  return file.values
}

function fileOptions(text: string, name: string): FileOptions {
  const file = new ConfigFile(text, name, OPTIONS)
  checkRetention(file, name)
  return file
}

/** Retention is set by files alone, so it is checked as a whole here. */
function checkRetention({ values, places }: FileOptions, file: string): void {
  const retention = retentionOf(values)
  const fault = retentionFault(retention)
  if (fault === undefined) return
  const [longer, shorter] = [retentionName(fault.longer), retentionName(fault.shorter)]
  const where = places.get(longer) ?? places.get(shorter) ?? places.get(AS_SPANS) ?? file
  throw badConfig(where, `${longer} (${retention[fault.longer]}) must be at least ${shorter} (${retention[fault.shorter]}): what is longer ago is read from sums, which must not expire first.`)
}

function readFile(file: string | undefined): FileOptions {
  const path = resolve(file ?? 'andon.yaml')
  if (!existsSync(path)) {
    if (file === undefined) return { values: new Map(), places: new Map(), placeOf: () => undefined }
    throw new AndonError('bad_config', `There is no configuration file ${path}.`)
  }
  return fileOptions(readFileSync(path, 'utf8'), file ?? 'andon.yaml')
}

/** A token from the environment may do all. */
function envTokens(env: Readonly<Record<string, string | undefined>>): Token[] {
  const text = env['ANDON_TOKEN']
  const file = env['ANDON_TOKEN_FILE']
  const tokens: Token[] = []
  if (text !== undefined && text !== '') tokens.push({ name: 'ANDON_TOKEN', role: 'admin', sha256: tokenFromText(text, 'ANDON_TOKEN') })
  if (file !== undefined && file !== '') tokens.push({ name: 'ANDON_TOKEN_FILE', role: 'admin', sha256: tokenFromFile(file) })
  return tokens
}

/** The server that is named, if one is; its password may stand in the environment or in a file of its own, never among the options. */
function clickhouseOf(given: Readonly<Record<string, unknown>>, stated = ''): ServerOptions | undefined {
  const server: ServerOptions = Object.assign({}, DEFAULT_SERVER, given)
  if (server.url === '') {
    if (server.cluster !== undefined) throw badConfig('store.cluster', 'a cluster needs the address of one of its servers, store.url.')
    return undefined
  }
  if (stated !== '' && server.password !== '') throw badConfig('CLICKHOUSE_PASSWORD', 'a password is given twice, here and in a file.')
  return { ...server, password: stated === '' ? server.password : stated }
}

/**
 * Reads all options from their sources.
 *
 * @throws AndonError bad_config naming the flag, variable or line that is wrong
 */
export function readOptions({ flags = {}, env = {}, file }: Sources): Options {
  const told = readFile(file ?? (env['ANDON_CONFIG'] === '' ? undefined : env['ANDON_CONFIG']))
  const fromFile = told.values
  /** What was chosen of some options, by the keys that they have in `Options`. */
  const chosen = (keys: Readonly<Record<string, string>>): Record<string, unknown> => {
    const values: Record<string, unknown> = {}
    for (const [key, name] of Object.entries(keys)) {
      const value = choose(name, flags, env, fromFile)
      if (value !== undefined) values[key] = value
    }
    return values
  }
  const section = (prefix: string, defaults: object): Record<string, unknown> =>
    chosen(Object.fromEntries(Object.keys(defaults).map((key) => [key, `${prefix}.${snake(key)}`])))
  const options: Options = Object.assign({}, DEFAULTS, chosen(PLACES), {
    retention: retentionOf(fromFile),
    disk: Object.assign({}, defaultDisk, section('disk', defaultDisk)),
    limits: Object.assign({}, defaultLimits, section('limits', defaultLimits)),
    rules: Object.assign({}, defaultRules, section('rules', defaultRules)),
    clickhouse: clickhouseOf(chosen(SERVER_PLACES), env['CLICKHOUSE_PASSWORD']),
    objectives: Object.assign({}, defaultObjectives, chosen({ files: 'objectives.files', defaults: 'objectives.defaults', delayMs: 'objectives.delay', backfillMs: 'objectives.backfill' })),
    ...toldOf(told, env),
  })
  return { ...options, dataDir: resolve(options.dataDir), tokens: [...options.tokens, ...envTokens(env)] }
}

const defaultRules: RulesOptions = { files: [], intervalMs: 15_000, queryOffsetMs: 0, externalLabels: {}, simple: [], telemetryMissing: defaultTelemetry }

const DEFAULTS: Options = {
  host: '127.0.0.1',
  port: 4318,
  grpcPort: 'auto',
  allowedHosts: [],
  dataDir: '.andon/server',
  clickhouse: undefined,
  dashboardDir: undefined,
  logLevel: 'info',
  tokens: [],
  liveIntervalMs: 5000,
  scrape: [],
  externalUrl: '',
  rules: defaultRules,
  objectives: defaultObjectives,
  incidents: readIncidentOptions(undefined),
  detect: defaultDetect,
  ...defaultTold,
  retention: wholeRetention(defaultRetention),
  disk: defaultDisk,
  limits: defaultLimits,
}

const DEFAULT_SERVER: ServerOptions = { url: '', user: 'default', password: '', database: 'andon', cluster: undefined, ca: undefined, lostShards: 'fail' }

/** Which option each field of `ServerOptions` is. */
const SERVER_PLACES = {
  url: 'store.url',
  user: 'store.user',
  password: 'store.password_file',
  database: 'store.database',
  cluster: 'store.cluster',
  ca: 'store.ca_file',
  lostShards: 'store.lost_shards',
}

/** Which option each field of `Options` is. */
const PLACES = {
  host: 'listen.host',
  port: 'listen.port',
  grpcPort: 'listen.grpc_port',
  allowedHosts: 'listen.allowed_hosts',
  dataDir: 'data_dir',
  dashboardDir: 'dashboard_dir',
  logLevel: 'log_level',
  tokens: 'tokens',
  liveIntervalMs: 'live.interval_ms',
  scrape: 'scrape',
  externalUrl: 'external_url',
  incidents: 'incidents',
  detect: 'detect',
}

/** The value of one option from the first source that names it; undefined when none does. */
function choose(name: string, flags: NonNullable<Sources['flags']>, env: NonNullable<Sources['env']>, file: ReadonlyMap<string, unknown>): unknown {
  const option = byName.get(name)
  if (option === undefined) throw new Error(`The option ${name} is not declared.`)
  const flag = flags[name]
  if (flag !== undefined) return fit(option, flag, option.flag ?? name)
  const variable = option.env === undefined ? undefined : env[option.env]
  if (variable !== undefined && variable !== '') return fit(option, variable, option.env ?? name)
  return file.get(name)
}
