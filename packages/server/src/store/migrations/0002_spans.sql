-- Placeholders in braces are filled in by migrate.ts: {db}, {on_cluster}, the engine family, {dedup} (the window of the
-- insert deduplication) and retention in days.

-- spans
CREATE TABLE IF NOT EXISTS {db}.spans {on_cluster} (
  ts DateTime64(9,'UTC') CODEC(Delta(8), ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id UInt64 CODEC(ZSTD(1)),
  parent_id UInt64 CODEC(ZSTD(1)),
  trace_flags UInt32 CODEC(T64, ZSTD(1)), trace_state String CODEC(ZSTD(1)),
  service LowCardinality(String), env LowCardinality(String), version LowCardinality(String), instance LowCardinality(String),
  scope LowCardinality(String), scope_version LowCardinality(String),
  name LowCardinality(String),
  kind Enum8('unspecified'=0,'internal'=1,'server'=2,'client'=3,'producer'=4,'consumer'=5) CODEC(T64, ZSTD(1)),
  dur UInt64 CODEC(T64, ZSTD(1)),                               -- nanoseconds
  status Enum8('unset'=0,'ok'=1,'error'=2) CODEC(T64, ZSTD(1)),
  status_msg String CODEC(ZSTD(1)),
  weight Float64 DEFAULT 1 CODEC(ZSTD(1)),                      -- how many spans this one stands for (sampling)
  repeat UInt32 DEFAULT 1 CODEC(T64, ZSTD(1)),                  -- equal spans folded into this one: dur is their sum
  route LowCardinality(String), http_status UInt16 CODEC(T64, ZSTD(1)),
  peer LowCardinality(String),                                  -- the service, database or host that was called
  db_fp UInt64 CODEC(ZSTD(1)),
  err_fp UInt64 CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),     -- strings
  attrs_int Map(LowCardinality(String), Int64) CODEC(ZSTD(1)), attrs_num Map(LowCardinality(String), Float64) CODEC(ZSTD(1)), attrs_bool Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
  resource UInt64 CODEC(ZSTD(1)),                               -- hash into resources
  ev_ts Array(DateTime64(9,'UTC')) CODEC(ZSTD(1)), ev_name Array(LowCardinality(String)) CODEC(ZSTD(1)), ev_attrs Array(Map(LowCardinality(String),String)) CODEC(ZSTD(1)),
  links Array(Tuple(trace_id FixedString(16), span_id UInt64, attrs Map(LowCardinality(String), String))) CODEC(ZSTD(1)),
  dropped Tuple(attrs UInt32, events UInt32, links UInt32) CODEC(ZSTD(1)),
  rest String CODEC(ZSTD(1)),                                   -- OTLP bytes of what has no column; usually empty
  INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_dur dur TYPE minmax GRANULARITY 1,
  INDEX i_fp db_fp TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {MergeTree} PARTITION BY toDate(ts)
ORDER BY (service, toStartOfFiveMinutes(ts), name, ts)
TTL toDateTime(ts) + INTERVAL {ttl_spans_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

CREATE TABLE IF NOT EXISTS {db}.resources {on_cluster} (
  hash UInt64, attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  rest String CODEC(ZSTD(1)),                                   -- OTLP bytes of the whole resource where it holds more than text attributes; usually empty
  last_seen DateTime('UTC')
) ENGINE = {Replacing:last_seen} ORDER BY hash TTL last_seen + INTERVAL {ttl_rollup_days} DAY;

-- rate, errors, duration from spans: for services that send spans and no duration metric. Buckets in SECONDS (dur/1e9), so that they merge with http.server.request.duration.
CREATE TABLE IF NOT EXISTS {db}.red_1m {on_cluster} (
  service LowCardinality(String), env LowCardinality(String), version LowCardinality(String),
  kind Enum8('unspecified'=0,'internal'=1,'server'=2,'client'=3,'producer'=4,'consumer'=5),
  name LowCardinality(String), minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
  n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  err SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  dur_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  dur_max SimpleAggregateFunction(max, Float64) CODEC(ZSTD(1)),
  pos SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))
) ENGINE = {Aggregating} PARTITION BY toMonday(minute) ORDER BY (service, env, kind, name, version, minute)
TTL minute + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.red_1m_mv {on_cluster} TO {db}.red_1m AS
SELECT service, env, version, kind, name, toStartOfMinute(toDateTime(ts)) AS minute,
  sum(weight*repeat) AS n, sumIf(weight*repeat, status='error') AS err, sum(dur/1e9*weight) AS dur_sum, max(dur/1e9/repeat) AS dur_max,
  sumMap(map(toInt16(ceil(log2(greatest(dur/repeat,1)/1e9)*8)-1), weight*repeat)) AS pos
FROM {db}.spans WHERE kind IN ('server','consumer','client') GROUP BY service, env, version, kind, name, minute;
