// Statements with bound, typed parameters. Nothing is concatenated: what is interpolated is a parameter, another
// statement, or an identifier that was checked.

/** A value bound as one of ClickHouse's types. */
export class Param {
  readonly type: string
  readonly value: unknown

  constructor(type: string, value: unknown) {
    this.type = type
    this.value = value
  }
}

/** The text of a statement and what is bound in it, by name. Tables are called `andon.TABLE`, whatever the database is called. */
export class Sql {
  readonly text: string
  readonly params: Readonly<Record<string, unknown>>
  /**
   * Which shards of a cluster must answer: those that the options ask for, all, because what is written next depends on it, or the first
   * alone.
   */
  readonly shards: 'wanted' | 'all' | 'first'

  constructor(text: string, params: Readonly<Record<string, unknown>>, shards: Sql['shards'] = 'wanted') {
    this.text = text
    this.params = params
    this.shards = shards
  }
}

/** A statement that is answered from all shards or fails. */
export function allShards({ text: statement, params }: Sql): Sql {
  return new Sql(statement, params, 'all')
}

/**
 * A statement over a table that lies on the first shard, which answers whether the others are there or not. A condition must give values of the
 * column in the table's sharding key.
 *
 * @see sharding.ts
 */
export function firstShard({ text: statement, params }: Sql): Sql {
  return new Sql(statement, params, 'first')
}

export const u32 = (value: number): Param => new Param('UInt32', value)
export const i64 = (value: number | bigint): Param => new Param('Int64', value)
export const f64 = (value: number): Param => new Param('Float64', value)
export const text = (value: string): Param => new Param('String', value)
export const ids = (values: readonly bigint[]): Param => new Param('Array(UInt64)', values)

/** A table or column, checked: letters, digits, underscores and one dot. */
export function name(identifier: string): Sql {
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?$/.test(identifier)) throw new Error(`not an identifier: ${identifier}`)
  return new Sql(identifier, {})
}

/** Conditions that must all hold; `1` when there is none. */
export function all(conditions: readonly Sql[]): Sql {
  return conditions.reduce((sum, condition) => sql`${sum} AND ${condition}`, new Sql('1', {}))
}

/**
 * A statement. Each interpolation is a Param, which is bound, or an Sql, which is inserted with its parameters.
 *
 * @example sql`SELECT count() FROM ${name('spans')} WHERE service = ${text(service)}`
 */
export function sql(strings: TemplateStringsArray, ...values: readonly (Param | Sql)[]): Sql {
  let statement = strings[0] ?? ''
  const params: Record<string, unknown> = {}
  let count = 0
  const bind = (type: string, value: unknown): string => {
    const key = `p${count}`
    count += 1
    params[key] = value
    return `{${key}:${type}}`
  }
  values.forEach((value, index) => {
    if (value instanceof Param) {
      statement += bind(value.type, value.value)
    } else {
      // The parameters of an inserted statement get new names, so that no two share one.
      statement += value.text.replaceAll(/\{(p\d+):([^}]+)\}/g, (_, key: string, type: string) => bind(type, value.params[key]))
    }
    statement += strings[index + 1] ?? ''
  })
  return new Sql(statement, params)
}
