// Makes the agent of this process send all that it has recorded, so that what is missing was lost and not only late.
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import { peers } from '../subjects/peers.ts'

/** What the peers have for it, none of it typed alike. */
interface Flushable {
  readonly trace: { getTracerProvider(): { getDelegate(): { forceFlush(): Promise<void> } } }
  readonly _tracer: { readonly _exporter: { flush(done: () => void): void } }
  flush(): Promise<void>
}

function load(name: string): Flushable {
  const found: Flushable = peers(name)
  return found
}

const DRAINS: Readonly<Record<string, () => Promise<void>>> = {
  andon: async () => {
    const { getMonitor } = await import('@andon/agent')
    await getMonitor().flush()
  },
  'OpenTelemetry SDK': async () => await load('@opentelemetry/api').trace.getTracerProvider().getDelegate().forceFlush(),
  'dd-trace': async () =>
    await new Promise((resolve) => {
      const { _tracer: tracer } = load('dd-trace')
      const { _exporter: exporter } = tracer
      exporter.flush(resolve)
    }),
  // It waits a second at most for what is being encoded, and answers before the last request is answered.
  'elastic-apm-node': async () => {
    for (const pause of [2000, 1000, 1000]) {
      await load('elastic-apm-node').flush()
      await wait(pause)
    }
  },
}

/** What a peer cannot send is its loss, which the check states. @param subject - its name in reports; what follows a comma names a variant */
export async function drain(subject: string): Promise<void> {
  try {
    await DRAINS[subject.split(',')[0] ?? '']?.()
  } catch (error) {
    process.stderr.write(`${subject}: not everything could be sent: ${inspect(error, { depth: 1 })}\n`)
  }
}
