// Real ClickHouse servers for tests, without a package of one: a process that calls the entry of clickhouse-local in the library of the
// embedded engine, which opens HTTP and TCP ports. It lives as long as somebody holds a pipe that it reads.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { ServerOptions } from './engine-server.ts'

export const USER = 'andon'
export const PASSWORD = 'a-password-of-tests'
/** The cluster of which all servers started together are shards. */
export const CLUSTER = 'test_shards'

const require = createRequire(import.meta.url)

/** Why no server can be started here; false where one can. */
export function cannotRun(): string | false {
  try {
    if (typeof require('ffi-rs') !== 'object') return 'ffi-rs does not load here'
    execFileSync('mkfifo', ['--version'], { stdio: 'ignore' })
    return libraryPath() === '' ? 'the library of the embedded engine is not there' : false
  } catch (error) {
    return `no ClickHouse server can be started here: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`
  }
}

function libraryPath(): string {
  const { libchdbPath } = require('chdb/libchdb') as { libchdbPath: () => string }
  return libchdbPath()
}

/** Runs until the query is answered, which is when the pipe that it reads is closed. */
const PROGRAM = `
import { createRequire } from 'node:module'
const require = createRequire(process.argv[1])
const { open, load, DataType } = require('ffi-rs')
const [library, ...args] = process.argv.slice(2)
open({ library: 'clickhouse', path: library })
load({ library: 'clickhouse', funcName: 'query_stable_v2', retType: DataType.Void, paramsType: [DataType.I32, DataType.StringArray], paramsValue: [args.length, args] })
process.exit(0)
`

interface Ports {
  readonly http: number
  readonly tcp: number
}

/** Two ports of 127.0.0.1 that nobody holds just now. */
async function freePorts(): Promise<Ports> {
  const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')]
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const [http = 0, tcp = 0] = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return { http, tcp }
}

const USERS = `<clickhouse>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
  <users>
    <default><password></password><networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>default</profile><quota>default</quota></default>
    <${USER}><password>${PASSWORD}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota><access_management>1</access_management></${USER}>
    <reader><password>${PASSWORD}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota><grants><query>GRANT SELECT ON *.*</query></grants></reader>
  </users>
</clickhouse>
`

function configuration({ http, tcp }: Ports, index: number, all: readonly Ports[], users: string): string {
  const shards = all.map((each) => `<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>${each.tcp}</port></replica></shard>`)
  return `<clickhouse>
  <logger><level>error</level><console>1</console></logger>
  <http_port>${http}</http_port>
  <tcp_port>${tcp}</tcp_port>
  <listen_host>127.0.0.1</listen_host>
  <users_config>${users}</users_config>
  <remote_servers><${CLUSTER}><secret>shards-trust-each-other</secret>${shards.join('')}</${CLUSTER}></remote_servers>
  <macros><shard>${index + 1}</shard><replica>one</replica></macros>
  <background_schedule_pool_size>8</background_schedule_pool_size>
  <background_distributed_schedule_pool_size>4</background_distributed_schedule_pool_size>
</clickhouse>
`
}

/** One server; it ends with this process. */
export class ClickHouseProcess {
  readonly url: string
  readonly #folder: string
  readonly #ports: Ports
  #child: ChildProcess | undefined
  #pipe: number | undefined

  constructor(folder: string, ports: Ports) {
    this.#folder = folder
    this.#ports = ports
    this.url = `http://127.0.0.1:${ports.http}`
  }

  /** Starts it, also again after `kill`; settles when it answers. */
  async start(): Promise<void> {
    const pipe = join(this.#folder, 'pipe')
    execFileSync('rm', ['-f', pipe])
    execFileSync('mkfifo', [pipe])
    // For reading too, so that this does not wait for the other side.
    this.#pipe = openSync(pipe, constants.O_RDWR)
    const statements = `SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT count() FROM file('${pipe}', LineAsString, 's String')`
    const args = ['clickhouse', `--config-file=${join(this.#folder, 'config.xml')}`, '--path', join(this.#folder, 'data'), '--query', statements]
    const log = join(this.#folder, 'log')
    const output = openSync(log, 'a')
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, import.meta.filename, libraryPath(), ...args], { stdio: ['ignore', output, output] })
    closeSync(output)
    this.#child = child
    for (let tries = 0; tries < 600; tries += 1) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ClickHouse ended while it started, with ${child.exitCode ?? child.signalCode}: ${readFileSync(log, 'utf8').slice(-2000)}`)
      const isUp = await fetch(`${this.url}/ping`).then(({ ok }) => ok, () => false)
      if (isUp) return
      await wait(50)
    }
    await this.kill()
    throw new Error(`ClickHouse did not answer on port ${this.#ports.http} within 30 s`)
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    if (this.#pipe !== undefined) closeSync(this.#pipe)
    this.#pipe = undefined
  }

  /** How a store reaches it. */
  options(more: Partial<ServerOptions> = {}): ServerOptions {
    return { url: this.url, user: USER, password: PASSWORD, database: 'andon', cluster: undefined, ca: undefined, lostShards: 'fail', ...more }
  }
}

/**
 * Starts servers that are the shards of one cluster, in a folder of their own each.
 *
 * @param folder - of the caller, who removes it when they are killed
 */
export async function startClickHouse(folder: string, count = 1): Promise<ClickHouseProcess[]> {
  const ports: Ports[] = []
  for (let index = 0; index < count; index += 1) ports.push(await freePorts())
  const servers = ports.map((own, index) => {
    const place = join(folder, `shard-${index + 1}`)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'users.xml'), USERS)
    writeFileSync(join(place, 'config.xml'), configuration(own, index, ports, join(place, 'users.xml')))
    return new ClickHouseProcess(place, own)
  })
  await Promise.all(servers.map((server) => server.start()))
  return servers
}
