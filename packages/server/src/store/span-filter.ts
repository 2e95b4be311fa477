// What is asked of a span, as a tree, and as a condition of a statement on the table `spans`.
import type { TimeRange } from '@andon/model'
import { checkedPattern } from './matchers.ts'
import { all, f64, i64, type Param, Sql, sql, text, u32 } from './sql.ts'

/** Where an attribute stands. `any`: the span's own where it has one of this name, else its resource's. */
export type AttributeScope = 'any' | 'span' | 'resource' | 'event' | 'link'

/** What is no attribute: of the span, of its instrumentation scope, of its trace, or of one of its events or links. */
export type SpanIntrinsic =
  | 'name'
  | 'kind'
  | 'status'
  | 'statusMessage'
  | 'duration'
  | 'spanId'
  | 'parentId'
  | 'traceId'
  | 'scopeName'
  | 'scopeVersion'
  | 'rootName'
  | 'rootService'
  | 'traceDuration'
  | 'eventName'
  | 'eventTime'
  | 'linkSpanId'
  | 'linkTraceId'

export interface AttributeField {
  readonly scope: AttributeScope
  readonly key: string
}

export interface IntrinsicField {
  readonly intrinsic: SpanIntrinsic
}

export type SpanField = AttributeField | IntrinsicField

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | '=~' | '!~'

/** An integer is a bigint, a duration nanoseconds, a kind or status its word; null means "is not there". */
export type FilterValue = string | number | bigint | boolean | null

/** A condition of one span. An attribute that is not there fulfils nothing but `= null`. */
export type SpanFilter =
  | { readonly kind: 'all' | 'any'; readonly of: readonly SpanFilter[] }
  | { readonly kind: 'not'; readonly of: SpanFilter }
  | { readonly kind: 'compare'; readonly field: SpanField; readonly operator: Comparison; readonly value: FilterValue }

/** A condition of one trace: `spans` holds when one of its spans fulfils it. */
export type TraceFilter =
  | { readonly kind: 'spans'; readonly filter: SpanFilter }
  | { readonly kind: 'allOf' | 'anyOf'; readonly of: readonly TraceFilter[] }

/** Every span. */
export const EVERY_SPAN: SpanFilter = { kind: 'all', of: [] }

const TRUE = new Sql('1', {})
const FALSE = new Sql('0', {})
const DAY = 86_400_000

/** Spans that begin within a range. */
export function within({ start, end }: TimeRange): Sql {
  return sql`ts >= fromUnixTimestamp64Milli(${i64(Math.floor(start))}) AND ts < fromUnixTimestamp64Milli(${i64(Math.ceil(end))})`
}

const or = (conditions: readonly Sql[]): Sql => (conditions.length === 0 ? FALSE : sql`(${conditions.reduce((sum, each) => sql`${sum} OR ${each}`)})`)

/**
 * A filter as a condition on a row of `spans`.
 *
 * @param range - of the search: what is asked of whole traces is read within a day of it
 * @throws AndonError bad_query for an expression that is not one of RE2
 */
export function spanCondition(filter: SpanFilter, range: TimeRange): Sql {
  switch (filter.kind) {
    case 'all':
      return sql`(${all(filter.of.map((each) => spanCondition(each, range)))})`
    case 'any':
      return or(filter.of.map((each) => spanCondition(each, range)))
    case 'not':
      return sql`NOT (${spanCondition(filter.of, range)})`
    case 'compare': {
      const { field, operator, value } = filter
      return 'intrinsic' in field ? intrinsicIs(field.intrinsic, { operator, value }, range) : attributeIs(field, { operator, value })
    }
  }
}

/** The filters of single spans within a filter of traces, in order. */
export function spanFilters(filter: TraceFilter): SpanFilter[] {
  return filter.kind === 'spans' ? [filter.filter] : filter.of.flatMap(spanFilters)
}

/** A filter of traces as a condition on groups of spans; undefined where the filter of the rows says it all. */
export function traceCondition(filter: TraceFilter, range: TimeRange): Sql | undefined {
  if (filter.kind === 'spans') return undefined
  const each = (one: TraceFilter): Sql => (one.kind === 'spans' ? sql`countIf(${spanCondition(one.filter, range)}) > 0` : (traceCondition(one, range) ?? TRUE))
  return filter.kind === 'allOf' ? sql`(${all(filter.of.map(each))})` : or(filter.of.map(each))
}

interface Asked {
  readonly operator: Comparison
  readonly value: FilterValue
}

const SYMBOLS: Readonly<Record<Exclude<Comparison, '=~' | '!~'>, Sql>> = {
  '=': new Sql('=', {}),
  '!=': new Sql('!=', {}),
  '<': new Sql('<', {}),
  '<=': new Sql('<=', {}),
  '>': new Sql('>', {}),
  '>=': new Sql('>=', {}),
}

function compared(cell: Sql, operator: Comparison, value: Param): Sql {
  if (operator === '=~' || operator === '!~') return FALSE
  return sql`${cell} ${SYMBOLS[operator]} ${value}`
}

/** A cell of text; an expression of RE2 must match the whole of it. */
function textIs(cell: Sql, operator: Comparison, value: string): Sql {
  if (operator === '=~') return sql`match(${cell}, ${text(checkedPattern(value))})`
  if (operator === '!~') return sql`NOT match(${cell}, ${text(checkedPattern(value))})`
  return compared(cell, operator, text(value))
}

const numeric = (value: number | bigint): Param => (typeof value === 'bigint' ? i64(value) : f64(value))
const isNumber = (value: FilterValue): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** A cell of text that stands for any value, as resources, events and links have them. */
function shownIs(cell: Sql, { operator, value }: Asked): Sql {
  if (value === null) return FALSE
  if (isNumber(value)) return sql`ifNull(${compared(sql`toFloat64OrNull(${cell})`, operator, f64(Number(value)))}, 0)`
  return textIs(cell, operator, String(value))
}

/** Of a value that may be missing: `= null` and `!= null` ask whether it is there. */
function maybe(exists: Sql, { operator, value }: Asked, condition: Sql): Sql {
  if (value !== null) return sql`(${exists} AND ${condition})`
  return operator === '=' ? sql`NOT ${exists}` : operator === '!=' ? exists : FALSE
}

const MAPS = { string: new Sql('attrs', {}), int: new Sql('attrs_int', {}), float: new Sql('attrs_num', {}), bool: new Sql('attrs_bool', {}) }
const has = (map: Sql, key: Param): Sql => sql`mapContains(${map}, ${key})`
const ownExists = (key: Param): Sql => or(Object.values(MAPS).map((map) => has(map, key)))

function ownIs(key: Param, asked: Asked): Sql {
  const { operator, value } = asked
  if (value === null) return maybe(ownExists(key), asked, TRUE)
  const held = (map: Sql, condition: Sql): Sql => sql`(${has(map, key)} AND ${condition})`
  if (typeof value === 'string') return held(MAPS.string, textIs(sql`attrs[${key}]`, operator, value))
  if (typeof value === 'boolean') return held(MAPS.bool, compared(sql`toUInt8(attrs_bool[${key}])`, operator, u32(Number(value))))
  return or([held(MAPS.int, compared(sql`attrs_int[${key}]`, operator, numeric(value))), held(MAPS.float, compared(sql`attrs_num[${key}]`, operator, f64(Number(value))))])
}

function ofResource(key: Param, condition: Sql): Sql {
  return sql`resource IN (SELECT hash FROM andon.resources WHERE mapContains(attrs, ${key}) AND ${condition})`
}

function resourceIs(key: string, asked: Asked): Sql {
  const bound = text(key)
  // The service has a column, by which the table is sorted.
  if (key === 'service.name' && typeof asked.value === 'string') return textIs(new Sql('service', {}), asked.operator, asked.value)
  if (asked.value === null) return maybe(ofResource(bound, TRUE), asked, TRUE)
  return ofResource(bound, shownIs(sql`attrs[${bound}]`, asked))
}

/** One of a list of maps. */
function oneOf(map: string, list: string, key: Param, asked: Asked): Sql {
  const [cell, of] = [new Sql(map, {}), new Sql(list, {})]
  const exists = sql`arrayExists(x -> mapContains(${cell}, ${key}), ${of})`
  return maybe(exists, asked, sql`arrayExists(x -> mapContains(${cell}, ${key}) AND ${shownIs(sql`${cell}[${key}]`, asked)}, ${of})`)
}

function attributeIs({ scope, key }: AttributeField, asked: Asked): Sql {
  const bound = text(key)
  switch (scope) {
    case 'span':
      return ownIs(bound, asked)
    case 'resource':
      return resourceIs(key, asked)
    case 'event':
      return oneOf('x', 'ev_attrs', bound, asked)
    case 'link':
      return oneOf('x.3', 'links', bound, asked)
    case 'any':
      if (asked.value === null) return maybe(or([ownExists(bound), ofResource(bound, TRUE)]), asked, TRUE)
      return or([ownIs(bound, asked), sql`(NOT ${ownExists(bound)} AND ${resourceIs(key, asked)})`])
  }
}

/** Columns of text, and expressions that give one. */
const TEXTS: Readonly<Partial<Record<SpanIntrinsic, string>>> = {
  name: 'name',
  kind: 'toString(kind)',
  status: 'toString(status)',
  statusMessage: 'status_msg',
  spanId: "leftPad(lower(hex(span_id)), 16, '0')",
  parentId: "if(parent_id = 0, '', leftPad(lower(hex(parent_id)), 16, '0'))",
  traceId: 'lower(hex(trace_id))',
  scopeName: 'scope',
  scopeVersion: 'scope_version',
}
const LISTS: Readonly<Partial<Record<SpanIntrinsic, readonly [cell: string, list: string]>>> = {
  eventName: ['toString(x)', 'ev_name'],
  linkSpanId: ["leftPad(lower(hex(x.2)), 16, '0')", 'links'],
  linkTraceId: ['lower(hex(x.1))', 'links'],
}
const OF_TRACES: Readonly<Partial<Record<SpanIntrinsic, string>>> = {
  rootName: 'argMin(toString(name), (parent_id != 0, ts))',
  rootService: 'argMin(toString(service), (parent_id != 0, ts))',
  traceDuration: 'max(toUnixTimestamp64Nano(ts) + toInt64(dur)) - min(toUnixTimestamp64Nano(ts))',
}

/** Traces with a span in the range of which, as a whole, something holds. */
function traceIs(range: TimeRange, condition: Sql): Sql {
  return sql`trace_id IN (SELECT trace_id FROM andon.spans WHERE ${within({ start: range.start - DAY, end: range.end + DAY })}
    AND trace_id IN (SELECT trace_id FROM andon.spans WHERE ${within(range)}) GROUP BY trace_id HAVING ${condition})`
}

/** Of a value that is always there, though it may be empty. */
function valueIs(cell: Sql, { operator, value }: Asked): Sql {
  if (value === null) return operator === '=' ? FALSE : TRUE
  return isNumber(value) ? compared(cell, operator, numeric(value)) : textIs(cell, operator, String(value))
}

function intrinsicIs(intrinsic: SpanIntrinsic, asked: Asked, range: TimeRange): Sql {
  const { [intrinsic]: column } = TEXTS
  if (column !== undefined) return asked.value === null ? valueIs(new Sql(column, {}), { operator: asked.operator === '=' ? '=' : '!=', value: '' }) : valueIs(new Sql(column, {}), asked)
  const { [intrinsic]: ofTrace } = OF_TRACES
  if (ofTrace !== undefined) return traceIs(range, valueIs(new Sql(ofTrace, {}), asked))
  const { [intrinsic]: list } = LISTS
  if (list !== undefined) {
    const of = new Sql(list[1], {})
    return maybe(sql`notEmpty(${of})`, asked, sql`arrayExists(x -> ${valueIs(new Sql(list[0], {}), asked)}, ${of})`)
  }
  if (intrinsic === 'eventTime') return maybe(new Sql('notEmpty(ev_ts)', {}), asked, sql`arrayExists(x -> ${valueIs(new Sql('toUnixTimestamp64Nano(x) - toUnixTimestamp64Nano(ts)', {}), asked)}, ev_ts)`)
  return valueIs(new Sql('dur', {}), asked)
}
