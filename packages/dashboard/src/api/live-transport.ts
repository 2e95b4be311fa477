import { LiveHub, type ToHub, type ToTab } from './live-hub.ts'

/** How a tab reaches the hub: through a SharedWorker, or through the tab that leads. */
export interface LiveTransport {
  send(message: ToHub): void
}

/** What a tab is told. `restart` means: a new hub took over, tell it again what you want. */
export interface TransportListener {
  message(message: ToTab): void
  restart(): void
}

/**
 * The way to the browser's one stream.
 *
 * @returns null where a browser has neither SharedWorker nor Web Locks with BroadcastChannel: such a tab polls
 */
export function openTransport(listener: TransportListener): LiveTransport | null {
  if (typeof SharedWorker === 'function') return overWorker(listener)
  // Web Locks exist in secure contexts only (loopback is one), whatever the types say.
  const locks = (navigator as { readonly locks?: LockManager }).locks
  if (locks !== undefined && typeof BroadcastChannel === 'function') return overLeader(listener, locks)
  return null
}

function overWorker(listener: TransportListener): LiveTransport {
  const worker = new SharedWorker(new URL('live-worker.ts', import.meta.url), { type: 'module', name: 'andon-live' })
  worker.port.addEventListener('message', (event: MessageEvent<ToTab>) => listener.message(event.data))
  worker.port.start()
  return { send: worker.port.postMessage.bind(worker.port) }
}

type Envelope =
  | { readonly to: 'hub'; readonly from: string; readonly message: ToHub }
  | { readonly to: 'tab'; readonly id: string; readonly message: ToTab }
  | { readonly to: 'all' }

/** The tab that gets the lock runs the hub until it closes; then the next one does, and every tab tells it anew what it wants. */
function overLeader(listener: TransportListener, locks: LockManager): LiveTransport {
  const id = crypto.randomUUID()
  const channel = new BroadcastChannel('andon-live')
  const post: (envelope: Envelope) => void = channel.postMessage.bind(channel)
  let hub: LiveHub | null = null
  const toHub = (message: ToHub): void => {
    if (hub === null) post({ to: 'hub', from: id, message })
    else hub.receive(id, message, (out) => listener.message(out), Date.now())
  }
  channel.addEventListener('message', (event: MessageEvent<Envelope>) => {
    const envelope = event.data
    if (envelope.to === 'all') listener.restart()
    else if (envelope.to === 'tab' && envelope.id === id) listener.message(envelope.message)
    else if (envelope.to === 'hub') {
      const { from } = envelope
      hub?.receive(from, envelope.message, (message) => post({ to: 'tab', id: from, message }), Date.now())
    }
  })
  void locks.request('andon-live', () => {
    const mine = new LiveHub()
    hub = mine
    setInterval(() => mine.sweep(Date.now()), 60_000)
    post({ to: 'all' })
    listener.restart()
    // The lock is held until the tab is closed.
    return new Promise<never>(() => undefined)
  })
  return { send: toHub }
}
