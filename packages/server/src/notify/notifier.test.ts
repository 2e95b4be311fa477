// All of it over the real store: rows of the state log, a real receiver, a real clock.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from 'node:test'
import { systemClock } from '../runtime/clock.ts'
import { silentLog } from '../runtime/log.ts'
import { OwnMetrics } from '../runtime/own-metrics.ts'
import { openStore, type Store } from '../store/index.ts'
import type { StateRow } from '../store/state.ts'
import { Notifier } from './notifier.ts'
import { readNotify } from './schema.ts'
import { alertOf, notificationOf } from './world.test.ts'

interface Told {
  readonly id: string
  readonly status: string
  readonly unannounced: number
}

const end = async ({ store, notifier }: { readonly store: Store; readonly notifier: Notifier }): Promise<void> => {
  await notifier.stop()
  await store.close()
}
const settled = async ({ outbox }: Notifier): Promise<void> => {
  for (let turn = 0; turn < 200 && !outbox.isEmpty; turn += 1) await wait(25)
  assert.equal(outbox.isEmpty, true)
}

test('over the real store: what is owed outlives a process, and so does what was told', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'andon-notifier-'))
  const told: Told[] = []
  let status = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { readonly status: string; readonly unannounced?: readonly string[] }
      if (status === 200) told.push({ id: String(request.headers['webhook-id']), status: body.status, unannounced: body.unannounced?.length ?? 0 })
      response.writeHead(status).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const options = readNotify({ allow_hosts: ['127.0.0.1'], receivers: [{ name: 'team', channels: [{ webhook: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` } }] }] })
  const open = async (): Promise<{ readonly store: Store; readonly notifier: Notifier }> => {
    const store = await openStore({ dataDir: dir, log: silentLog, clock: systemClock })
    const notifier = await Notifier.open({
      options,
      externalUrl: '',
      log: store.state,
      clock: systemClock,
      logger: silentLog,
      own: new OwnMetrics(),
      alerts: { accept: () => Promise.resolve() },
      incidents: { told: () => Promise.resolve() },
    })
    notifier.start()
    return { store, notifier }
  }
  const now = Date.now()
  try {
    let running = await open()
    const first = notificationOf('n1', [alertOf('a', 'firing', now)], now)
    await running.store.state.append(running.notifier.outbox.entries([first]) as readonly StateRow[])
    running.notifier.outbox.deliver([first])
    await settled(running.notifier)
    status = 503
    const second = notificationOf('n2', [alertOf('a', 'resolved', now, now + 1000), alertOf('b', 'resolved', now + 10, now + 1000)], now + 1000)
    await running.store.state.append(running.notifier.outbox.entries([second]) as readonly StateRow[])
    running.notifier.outbox.deliver([second])
    await wait(50)
    await end(running)
    assert.deepEqual(told, [{ id: 'n1', status: 'firing', unannounced: 0 }])
    status = 200
    running = await open()
    await settled(running.notifier)
    // It is known after the restart that the begin of one was told, and that of the other was not.
    assert.deepEqual(told[1], { id: 'n2', status: 'resolved', unannounced: 1 })
    const written = await running.notifier.outbox.written({ start: now - 60_000, end: Date.now() + 60_000 }, 10)
    assert.deepEqual(written.map(({ key, state }) => [key, state]), [['m/n2/team.webhook', 'delivered'], ['m/n1/team.webhook', 'delivered']])
    await end(running)
    running = await open()
    await wait(50)
    await end(running)
    assert.equal(told.length, 2)
  } finally {
    server.close()
    server.closeAllConnections()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
})
