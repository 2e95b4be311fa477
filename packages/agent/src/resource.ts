import { readFileSync } from 'node:fs'
import { arch, hostname, platform } from 'node:os'
import { dirname, join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'
import type { Attributes, Resource } from '@andon/model'
import type { AgentOptions } from './options.ts'

/** Name and version of the nearest package.json above the program. */
function packageOf(program: string | undefined): { name?: unknown; version?: unknown } {
  let folder = program === undefined ? process.cwd() : dirname(program)
  for (;;) {
    try {
      const found: { name?: unknown; version?: unknown } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      return found
    } catch {
      const above = dirname(folder)
      if (above === folder) return {}
      folder = above
    }
  }
}

/** What each detector finds out. */
const FOUND: Readonly<Record<string, () => Attributes>> = {
  host: () => ({ 'host.name': hostname(), 'host.arch': arch() }),
  os: () => ({ 'os.type': platform() }),
  process: () => ({ 'process.pid': BigInt(process.pid), 'process.runtime.name': 'nodejs', 'process.runtime.version': process.versions.node }),
}

/** Who sends: the service, its version and instance, its process, host and runtime. */
export function detectResource(options: Pick<AgentOptions, 'serviceName' | 'resourceAttributes' | 'detectors'>, version: string): Resource {
  const found = packageOf(process.argv[1])
  const name = options.serviceName ?? (typeof found.name === 'string' ? found.name : 'unknown_service:node')
  const attributes: Attributes = {
    'service.version': typeof found.version === 'string' ? found.version : '',
    // A worker thread has an agent, a heap and an event loop of its own.
    'service.instance.id': `${hostname()}:${process.pid}${isMainThread ? '' : `:${threadId}`}`,
    ...Object.assign({}, ...options.detectors.map((detector) => FOUND[detector]?.())),
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'andon',
    'telemetry.sdk.version': version,
    ...(options.detectors.includes('env') && options.resourceAttributes),
    'service.name': name,
  }
  return { attributes: Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== '')), droppedAttributes: 0, schemaUrl: '' }
}
