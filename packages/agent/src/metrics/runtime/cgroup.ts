// What the control group of this process may use and uses: the limits of a container.
// @see https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/admin-guide/cgroup-v1/
import { totalmem } from 'node:os'
import type { Bytes } from '@andon/model'
import { keyed, textOf } from './reading.ts'

/** Undefined is what is not limited, or not told. */
export interface GroupUse {
  /** Processors that may be used at once. */
  readonly cpuLimit: number | undefined
  readonly cpuSeconds: number | undefined
  /** Periods of the scheduler, in which the group was stopped because its share was used up. */
  readonly throttledPeriods: number | undefined
  readonly throttledSeconds: number | undefined
  readonly memoryLimit: Bytes | undefined
  readonly memory: Bytes | undefined
  /** Memory without what the kernel can give up at once. */
  readonly workingSet: Bytes | undefined
}

type ReadText = (path: string) => Promise<string | undefined>

const ROOT = '/sys/fs/cgroup'

/** The folder of a group and those above it, the nearest first. */
function upwards(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..')
  return [...parts.map((_, index) => `/${parts.slice(0, parts.length - index).join('/')}`), '']
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const found = values.filter((value) => value !== undefined && Number.isFinite(value) && value > 0)
  return found.length === 0 ? undefined : Math.min(...found.map(Number))
}

/** `QUOTA PERIOD` in microseconds, QUOTA being max or negative where there is none. */
function processors(quota: string | undefined, period: string | undefined): number | undefined {
  const found = Number(quota) / Number(period)
  return found > 0 ? found : undefined
}

function number(text: string | undefined): number | undefined {
  const value = Number(text?.trim() === '' ? undefined : text)
  return Number.isFinite(value) ? value : undefined
}

async function second(group: string, read: ReadText): Promise<GroupUse | undefined> {
  const folders = upwards(group).map((path) => ROOT + path)
  const [quotas, limits] = await Promise.all([Promise.all(folders.map((folder) => read(`${folder}/cpu.max`))), Promise.all(folders.map((folder) => read(`${folder}/memory.max`)))])
  // In a container's own view of the groups, the path of the machine's may not be there.
  const own = folders[quotas.findIndex((text) => text !== undefined)] ?? ROOT
  const [cpu = '', memory, stat = ''] = await Promise.all(['cpu.stat', 'memory.current', 'memory.stat'].map((file) => read(`${own}/${file}`)))
  const times = keyed(cpu)
  const used = number(memory)
  const micros = (key: string): number | undefined => (times.has(key) ? (times.get(key) ?? 0) / 1e6 : undefined)
  return {
    cpuLimit: least(quotas.map((text) => processors(...split(text)))),
    cpuSeconds: micros('usage_usec'),
    throttledPeriods: times.get('nr_throttled'),
    throttledSeconds: micros('throttled_usec'),
    memoryLimit: least(limits.map(number)),
    memory: used,
    workingSet: used === undefined ? undefined : used - (keyed(stat).get('inactive_file') ?? 0),
  }
}

function split(text: string | undefined): [string | undefined, string | undefined] {
  const [quota, period] = (text ?? '').trim().split(' ')
  return [quota, period]
}

async function first(groups: ReadonlyMap<string, readonly [string, string]>, read: ReadText): Promise<GroupUse | undefined> {
  const folder = async (controller: string, file: string): Promise<string> => {
    const [names, path] = groups.get(controller) ?? [controller, '']
    const folders = [names, controller].flatMap((name) => upwards(path).map((each) => `${ROOT}/${name}${each}`))
    for (const each of folders) if ((await read(`${each}/${file}`)) !== undefined) return each
    return ROOT
  }
  const [cpu, account, memory] = await Promise.all([folder('cpu', 'cpu.stat'), folder('cpuacct', 'cpuacct.usage'), folder('memory', 'memory.usage_in_bytes')])
  const files = [`${cpu}/cpu.cfs_quota_us`, `${cpu}/cpu.cfs_period_us`, `${cpu}/cpu.stat`, `${account}/cpuacct.usage`, `${memory}/memory.limit_in_bytes`, `${memory}/memory.usage_in_bytes`, `${memory}/memory.stat`]
  const [quota, period, stat = '', usage, limit, used, memoryStat = ''] = await Promise.all(files.map(read))
  const times = keyed(stat)
  const held = keyed(memoryStat)
  const bytes = number(used)
  const nanoseconds = number(usage)
  const throttled = times.get('throttled_time')
  return {
    cpuLimit: processors(quota, period),
    cpuSeconds: nanoseconds === undefined ? undefined : nanoseconds / 1e9,
    throttledPeriods: times.get('nr_throttled'),
    throttledSeconds: throttled === undefined ? undefined : throttled / 1e9,
    // That of the groups above counts as well.
    memoryLimit: least([number(limit), held.get('hierarchical_memory_limit')]),
    memory: bytes,
    workingSet: bytes === undefined ? undefined : bytes - (held.get('total_inactive_file') ?? 0),
  }
}

/** By controller: the controllers of its line, and the path. Version 2 has one line without a controller. */
function parseGroups(text: string): ReadonlyMap<string, readonly [string, string]> {
  const groups = new Map<string, readonly [string, string]>()
  for (const line of text.split('\n')) {
    const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (path !== '') for (const name of names.split(',')) groups.set(name, [names, path])
  }
  return groups
}

/**
 * Reads the group of this process, of either version.
 *
 * @param machine - memory of the machine: a limit above it is none
 * @returns undefined where there is no limit, because then nothing is contained, and on other systems
 */
export async function readGroup(read: ReadText = textOf, machine: Bytes = totalmem()): Promise<GroupUse | undefined> {
  const groups = parseGroups((await read('/proc/self/cgroup')) ?? '')
  if (groups.size === 0) return undefined
  const isSecond = (await read(`${ROOT}/cgroup.controllers`)) !== undefined
  const use = await (isSecond ? second(groups.get('')?.[1] ?? '', read) : first(groups, read))
  if (use === undefined) return undefined
  const memoryLimit = use.memoryLimit !== undefined && use.memoryLimit < machine ? use.memoryLimit : undefined
  return use.cpuLimit === undefined && memoryLimit === undefined ? undefined : { ...use, memoryLimit }
}
