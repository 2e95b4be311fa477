// Which attributes spans have, and which values: what a search can be narrowed to.
import type { TimeRange } from '@andon/model'
import { columns, number, stringOf } from './cells.ts'
import type { Database } from './database.ts'
import { EVERY_SPAN, spanCondition, type SpanField, type SpanFilter, type SpanIntrinsic, within } from './span-filter.ts'
import { Sql, sql, text, u32 } from './sql.ts'

/** Of which spans attributes are told. */
export interface AttributeQuery {
  readonly range: TimeRange
  readonly filter?: SpanFilter
  /** Names of each scope, or values, at most. */
  readonly limit: number
}

/** Names of attributes by where they stand, in order. */
export interface AttributeNames {
  readonly span: readonly string[]
  readonly resource: readonly string[]
  readonly event: readonly string[]
  readonly link: readonly string[]
}

/** A value that occurs; `keyword` is a kind or a status. */
export interface TypedValue {
  readonly type: 'string' | 'int' | 'float' | 'bool' | 'keyword'
  readonly value: string
}

interface Counted extends TypedValue {
  readonly spans: number
}

const OWN_NAMES = new Sql('arrayConcat(mapKeys(attrs), mapKeys(attrs_int), mapKeys(attrs_num), mapKeys(attrs_bool))', {})
const EVENT_NAMES = new Sql('arrayFlatten(arrayMap(x -> mapKeys(x), ev_attrs))', {})
const LINK_NAMES = new Sql('arrayFlatten(arrayMap(x -> mapKeys(x.3), links))', {})

/** What is no attribute and has values to choose from, of one span. */
const CHOICES: Readonly<Partial<Record<SpanIntrinsic, readonly [type: TypedValue['type'], value: string, when: string]>>> = {
  name: ['string', 'toString(name)', '1'],
  kind: ['keyword', 'toString(kind)', '1'],
  status: ['keyword', 'toString(status)', '1'],
  statusMessage: ['string', 'status_msg', "status_msg != ''"],
  scopeName: ['string', 'toString(scope)', "scope != ''"],
  scopeVersion: ['string', 'toString(scope_version)', "scope_version != ''"],
  rootName: ['string', 'toString(name)', 'parent_id = 0'],
  rootService: ['string', 'toString(service)', 'parent_id = 0'],
  eventName: ['string', 'toString(arrayJoin(ev_name))', '1'],
}

/** Names and values of attributes. Reads the names, or one attribute, of all spans that are asked about. */
export class SpanAttributeStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Names of attributes. */
  async names(query: AttributeQuery): Promise<AttributeNames> {
    const chosen = conditionOf(query)
    const of = async (list: Sql, from: Sql): Promise<string[]> =>
      await this.#database.query(sql`SELECT DISTINCT toString(arrayJoin(${list})) AS k FROM ${from} ORDER BY k LIMIT ${u32(query.limit)}`, ([key]) => stringOf(key))
    const spans = sql`andon.spans WHERE ${chosen}`
    return {
      span: await of(OWN_NAMES, spans),
      resource: await of(new Sql('mapKeys(attrs)', {}), sql`andon.resources WHERE hash IN (SELECT DISTINCT resource FROM andon.spans WHERE ${chosen})`),
      event: await of(EVENT_NAMES, sql`${spans} AND notEmpty(ev_attrs)`),
      link: await of(LINK_NAMES, sql`${spans} AND notEmpty(links)`),
    }
  }

  /** Values of one field, the most frequent first; [] of one that is measured, such as a duration, or an id. */
  async values(field: SpanField, query: AttributeQuery): Promise<TypedValue[]> {
    const found = 'intrinsic' in field ? await this.#choices(field.intrinsic, query) : await this.#attribute(field.scope, field.key, query)
    return found.toSorted((a, b) => b.spans - a.spans || (a.value < b.value ? -1 : 1)).slice(0, query.limit).map(({ type, value }) => ({ type, value }))
  }

  async #attribute(scope: string, key: string, query: AttributeQuery): Promise<Counted[]> {
    switch (scope) {
      case 'span':
        return await this.#own(key, query)
      case 'resource':
        return await this.#ofResources(key, query)
      case 'any':
        return [...(await this.#own(key, query)), ...(await this.#ofResources(key, query))]
      case 'event':
        return await this.#counted(sql`('string', arrayJoin(arrayMap(x -> x[${text(key)}], arrayFilter(x -> mapContains(x, ${text(key)}), ev_attrs))))`, query)
      default:
        return await this.#counted(sql`('string', arrayJoin(arrayMap(x -> x.3[${text(key)}], arrayFilter(x -> mapContains(x.3, ${text(key)}), links))))`, query)
    }
  }

  async #own(key: string, query: AttributeQuery): Promise<Counted[]> {
    const k = text(key)
    return await this.#counted(
      sql`arrayJoin(arrayMap(x -> (x.1, x.2), arrayFilter(x -> x.3, [('string', toString(attrs[${k}]), mapContains(attrs, ${k})), ('int', toString(attrs_int[${k}]), mapContains(attrs_int, ${k})),
        ('float', toString(attrs_num[${k}]), mapContains(attrs_num, ${k})), ('bool', toString(attrs_bool[${k}]), mapContains(attrs_bool, ${k}))])))`,
      query,
    )
  }

  async #ofResources(key: string, query: AttributeQuery): Promise<Counted[]> {
    // The service has a column.
    if (key === 'service.name') return await this.#counted(sql`('string', toString(service))`, query)
    const k = text(key)
    return await this.#database.query(
      sql`SELECT v, sum(n) FROM (SELECT hash, any(attrs[${k}]) AS v FROM andon.resources WHERE mapContains(attrs, ${k}) GROUP BY hash) AS known
        INNER JOIN (SELECT resource, count() AS n FROM andon.spans WHERE ${conditionOf(query)} GROUP BY resource) AS used ON used.resource = known.hash
        GROUP BY v ORDER BY sum(n) DESC, v LIMIT ${u32(query.limit)}`,
      ([value, spans]) => ({ type: 'string' as const, value: stringOf(value), spans: number(spans) }),
    )
  }

  async #choices(intrinsic: SpanIntrinsic, query: AttributeQuery): Promise<Counted[]> {
    const { [intrinsic]: choice } = CHOICES
    if (choice === undefined) return []
    const [type, value, when] = choice
    return await this.#counted(sql`(${text(type)}, ${new Sql(value, {})})`, query, new Sql(when, {}))
  }

  /** Counts spans by a pair of a type and a value. */
  async #counted(pair: Sql, query: AttributeQuery, when: Sql = new Sql('1', {})): Promise<Counted[]> {
    return await this.#database.query(
      sql`SELECT ${pair} AS typed, count() AS n FROM andon.spans WHERE ${conditionOf(query)} AND ${when} GROUP BY typed ORDER BY n DESC, typed LIMIT ${u32(query.limit)}`,
      ([typed, spans]) => {
        const [type, value] = columns(typed)
        return { type: typeOf(stringOf(type)), value: stringOf(value), spans: number(spans) }
      },
    )
  }
}

function conditionOf({ range, filter = EVERY_SPAN }: AttributeQuery): Sql {
  return sql`${within(range)} AND ${spanCondition(filter, range)}`
}

const TYPES: readonly TypedValue['type'][] = ['string', 'int', 'float', 'bool', 'keyword']

function typeOf(name: string): TypedValue['type'] {
  return TYPES.find((each) => each === name) ?? 'string'
}
