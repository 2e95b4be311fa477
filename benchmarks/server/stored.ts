// What a stopped server has stored, read from its data directory by the engine itself.
import { join } from 'node:path'
import { Session } from 'chdb'

/** Rows of a query, their columns as JSON has them. The server whose folder it is must not run. */
export function rowsOf(folder: string, statement: string): readonly (readonly unknown[])[] {
  const session = new Session(join(folder, 'clickhouse'))
  try {
    return session
      .query(statement, 'JSONCompactEachRow')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): readonly unknown[] => JSON.parse(line))
  } finally {
    session.close()
  }
}

/** Statements without an answer, one after another. */
export function run(folder: string, statements: Iterable<string>): void {
  const session = new Session(join(folder, 'clickhouse'))
  try {
    for (const statement of statements) session.query(statement)
  } finally {
    session.close()
  }
}

/** The single number that a query answers. */
export function numberOf(folder: string, statement: string): number {
  return Number(rowsOf(folder, statement)[0]?.[0] ?? 0)
}
