// The options of a whole server of a test, on either engine.
import { type Options, readOptions } from './config.ts'
import { testServer } from './store/fixture.test.ts'

/** A free port and a data directory; with ANDON_TEST_CLICKHOUSE a database of its own on that server. */
export function testOptions(dataDir: string, flags: Readonly<Record<string, string>> = {}): Options {
  return { ...readOptions({ flags: { 'listen.port': '0', ...flags, data_dir: dataDir } }), clickhouse: testServer(dataDir) }
}

/** The same for a process. */
export function testEnvironment(dataDir: string): Record<string, string> {
  const server = testServer(dataDir)
  return server === undefined ? {} : { CLICKHOUSE_URL: server.url, CLICKHOUSE_USER: server.user, CLICKHOUSE_PASSWORD: server.password, CLICKHOUSE_DATABASE: server.database }
}
