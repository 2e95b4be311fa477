import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { findPortHolder, listeningInodes } from './port-holder.ts'

test('the kernel table is read: only listening sockets of this very port', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0000000000000000 100 0 0 10 0
   1: 0100007F:10DE 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 222 1 0000000000000000 20 0 0 10 -1
   2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 0000000000000000 100 0 0 10 0`
  assert.deepEqual(listeningInodes(table, 4318), ['111'])
})

test('this very process is found by the port it listens on', { skip: process.platform !== 'linux' }, async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const holder = await findPortHolder(port)
  server.close()
  assert.equal(holder?.pid, process.pid)
  assert.match(holder.command, /node/)
})
