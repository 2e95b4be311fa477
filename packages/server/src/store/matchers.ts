// Matchers of labels as conditions of a statement.
import { AndonError, type LabelMatcher } from '@andon/model'
import { RE2JS } from 're2js'
import { type Sql, sql, text } from './sql.ts'

/**
 * An expression that must match a whole text, for the database's `match`, which is RE2 as well and cannot be made to hang.
 *
 * @throws AndonError bad_query when RE2 does not take it
 */
export function checkedPattern(pattern: string): string {
  try {
    RE2JS.compile(pattern)
  } catch (error) {
    throw new AndonError('bad_query', `"${pattern}" is not an RE2 expression: ${error instanceof Error ? error.message : String(error)}`)
  }
  return `^(?s:${pattern})$`
}

/** A matcher as a condition on the table of series. @throws AndonError bad_query for an expression that is not one of RE2 */
export function condition({ name: label, operator, value }: LabelMatcher): Sql {
  const cell = label === '__name__' ? sql`toString(name)` : sql`labels[${text(label)}]`
  switch (operator) {
    case '=':
      // By the OpenTelemetry name as well.
      if (label === '__name__') return sql`name IN (SELECT ${text(value)} UNION ALL SELECT name FROM andon.metric_meta WHERE otel_name = ${text(value)})`
      return sql`${cell} = ${text(value)}`
    case '!=':
      return sql`${cell} != ${text(value)}`
    case '=~':
      return sql`match(${cell}, ${text(checkedPattern(value))})`
    case '!~':
      return sql`NOT match(${cell}, ${text(checkedPattern(value))})`
  }
}
