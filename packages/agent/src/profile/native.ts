// The native sampler, loaded when the first profile is asked for: it is 20 ms and some megabytes that a host without profiles is spared.
import { createRequire } from 'node:module'
import type * as pprof from '@datadog/pprof'
import { diag } from '@opentelemetry/api'

type Pprof = typeof pprof

/** What the native part gives, in pprof's own tables. */
export type NativeProfile = ReturnType<Pprof['time']['stop']>

let loaded: Pprof | undefined | 'absent'

/** The sampler, or undefined where this platform or version of Node has none; why is said once. */
export function nativeSampler(): Pprof | undefined {
  if (loaded === undefined) {
    try {
      const found: Pprof = createRequire(import.meta.url)('@datadog/pprof')
      loaded = found
    } catch (error) {
      loaded = 'absent'
      const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
      diag.warn(`andon: profiles are off: the sampler cannot be loaded on ${process.platform} ${process.arch} with Node ${process.versions.node} (${why})`)
    }
  }
  return loaded === 'absent' ? undefined : loaded
}
