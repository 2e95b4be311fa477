import { LiveHub, type ToHub } from './live-hub.ts'

// The SharedWorker that holds the browser's one live stream. Each tab is a port.

const hub = new LiveHub()
let tabs = 0

// The library "webworker" cannot be loaded beside "dom": here the global object is a SharedWorkerGlobalScope.
addEventListener('connect', (event) => {
  const port = event instanceof MessageEvent ? event.ports[0] : undefined
  if (port === undefined) return
  tabs += 1
  const id = String(tabs)
  const send = port.postMessage.bind(port)
  port.addEventListener('message', (message: MessageEvent<ToHub>) => hub.receive(id, message.data, send, Date.now()))
  port.start()
})
setInterval(() => hub.sweep(Date.now()), 60_000)
