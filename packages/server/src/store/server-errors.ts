// What ClickHouse's error codes are to those who ask Andon.
import type { ErrorCode } from '@andon/model'

/** @see ClickHouse's src/Common/ErrorCodes.cpp */
const MEANINGS: ReadonlyMap<number, ErrorCode> = new Map([
  // What the server cannot do now and may do later.
  ...([
    3, // UNEXPECTED_END_OF_FILE
    32, // ATTEMPT_TO_READ_AFTER_EOF
    209, // SOCKET_TIMEOUT
    210, // NETWORK_ERROR
    225, // NO_ZOOKEEPER
    236, // ABORTED
    242, // TABLE_IS_READ_ONLY
    243, // NOT_ENOUGH_SPACE
    279, // ALL_CONNECTION_TRIES_FAILED
    285, // TOO_FEW_LIVE_REPLICAS
    319, // UNKNOWN_STATUS_OF_INSERT
    394, // QUERY_WAS_CANCELLED
    516, // AUTHENTICATION_FAILED
    999, // KEEPER_EXCEPTION
  ] as const).map((code): [number, ErrorCode] => [code, 'unavailable']),
  [202, 'overloaded'], // TOO_MANY_SIMULTANEOUS_QUERIES
  [252, 'overloaded'], // TOO_MANY_PARTS
  [574, 'overloaded'], // DISTRIBUTED_TOO_MANY_PENDING_BYTES
  [158, 'query_too_large'], // TOO_MANY_ROWS
  [241, 'query_too_large'], // MEMORY_LIMIT_EXCEEDED
  [307, 'query_too_large'], // TOO_MANY_BYTES
  [396, 'query_too_large'], // TOO_MANY_ROWS_OR_BYTES
  [159, 'query_timeout'], // TIMEOUT_EXCEEDED
])

/** What to do about what only a person can mend. */
const SETUP: ReadonlyMap<number, string> = new Map([
  [192, 'Set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or CLICKHOUSE_PASSWORD_FILE.'], // UNKNOWN_USER
  [193, 'Set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or CLICKHOUSE_PASSWORD_FILE.'], // WRONG_PASSWORD
  [194, 'Set CLICKHOUSE_PASSWORD or CLICKHOUSE_PASSWORD_FILE.'], // REQUIRED_PASSWORD
  [516, 'Set CLICKHOUSE_USER and CLICKHOUSE_PASSWORD, or CLICKHOUSE_PASSWORD_FILE.'], // AUTHENTICATION_FAILED
  [497, 'docs/guides/clickhouse-server.md lists what the user must be allowed.'], // ACCESS_DENIED
  [164, 'The user must be allowed to write and to change settings: its profile must not set readonly.'], // READONLY
  [170, 'CLICKHOUSE_CLUSTER must be a name of system.clusters.'], // BAD_GET
  [701, 'CLICKHOUSE_CLUSTER must be a name of system.clusters.'], // CLUSTER_DOESNT_EXIST
])

/** The meaning of an error's code for one who reads or writes; undefined where it is the statement's own. */
export function meaningOf(code: number): ErrorCode | undefined {
  return MEANINGS.get(code)
}

/** The hint for an error of the setup; undefined where it is none. */
export function setupHint(code: number): string | undefined {
  return SETUP.get(code)
}
