// Answers for PostgreSQL at once, so that the application's core is what is saturated.
import { createServer } from 'node:net'
import { speakPostgres } from '@andon/bench'

const server = createServer(speakPostgres)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.send?.({ port: address.port })
})
// It must not outlive who measures.
process.once('disconnect', () => process.exit())
