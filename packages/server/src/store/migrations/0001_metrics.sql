-- Placeholders in braces are filled in by migrate.ts: {db}, {on_cluster}, the engine family, {dedup} (the window of the
-- insert deduplication) and retention in days.

-- Raw tables hold what was sent. Rollups hold increases that the ingester computed (resets taken out), so that they can be
-- added over time. The ingester writes to the *_in tables (engine Null); views spread one insert to the raw table and the rollup.

-- metrics: names and series
CREATE TABLE IF NOT EXISTS {db}.metric_meta {on_cluster} (
  name LowCardinality(String), otel_name LowCardinality(String), type LowCardinality(String), unit LowCardinality(String), help String CODEC(ZSTD(1)), last_seen DateTime('UTC')
) ENGINE = {Replacing:last_seen} ORDER BY name TTL last_seen + INTERVAL {ttl_long_days} DAY;

CREATE TABLE IF NOT EXISTS {db}.series {on_cluster} (
  id UInt64 CODEC(ZSTD(1)),
  name LowCardinality(String),
  type Enum8('gauge'=1,'counter'=2,'updown'=3,'histogram'=4,'summary'=5,'info'=6,'unknown'=7),
  labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  label_items Array(String) MATERIALIZED arrayMap(x -> concat(x.1,'=',x.2), labels::Array(Tuple(String,String))) CODEC(ZSTD(1)),
  last_seen DateTime('UTC'),
  INDEX i_items label_items TYPE bloom_filter(0.01) GRANULARITY 1
) ENGINE = {Replacing:last_seen} ORDER BY (name, id) TTL last_seen + INTERVAL {ttl_long_days} DAY SETTINGS index_granularity = 1024;

-- metrics: float samples
CREATE TABLE IF NOT EXISTS {db}.samples {on_cluster} (
  id UInt64 CODEC(Delta(8), ZSTD(1)),
  ts DateTime64(3,'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)),          -- start of the counter's life or of the delta's interval; epoch = unknown
  v Float64 CODEC(Gorilla, ZSTD(1)),
  flags UInt8 DEFAULT 0 CODEC(T64, ZSTD(1))                    -- bit 0: stale marker (v means nothing); bit 1: delta
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (id, ts)
TTL toDateTime(ts) + INTERVAL {ttl_raw_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

CREATE TABLE IF NOT EXISTS {db}.samples_5m {on_cluster} (
  id UInt64 CODEC(Delta(8), ZSTD(1)),
  ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  last AggregateFunction(argMax, Float64, DateTime64(3,'UTC')) CODEC(ZSTD(1)),
  mn SimpleAggregateFunction(min, Float64) CODEC(Gorilla, ZSTD(1)),
  mx SimpleAggregateFunction(max, Float64) CODEC(Gorilla, ZSTD(1)),
  sm SimpleAggregateFunction(sum, Float64) CODEC(Gorilla, ZSTD(1)),
  n  SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  inc SimpleAggregateFunction(sum, Float64) CODEC(Gorilla, ZSTD(1))
) ENGINE = {Aggregating} PARTITION BY toMonday(ts) ORDER BY (id, ts)
TTL ts + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

CREATE TABLE IF NOT EXISTS {db}.samples_1h {on_cluster} AS {db}.samples_5m
ENGINE = {Aggregating} PARTITION BY toYYYYMM(ts) ORDER BY (id, ts) TTL ts + INTERVAL {ttl_long_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

CREATE TABLE IF NOT EXISTS {db}.samples_in {on_cluster} (
  id UInt64, ts DateTime64(3,'UTC'), start DateTime64(3,'UTC'), v Float64, flags UInt8,
  inc Float64                                                   -- (mn, mx, sm, last of the rollup are for gauges) increase since the series' previous point, resets taken out; 0 when not a counter or not known
) ENGINE = Null;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.samples_raw_mv {on_cluster} TO {db}.samples AS SELECT id, ts, start, v, flags FROM {db}.samples_in;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.samples_5m_mv {on_cluster} TO {db}.samples_5m AS
SELECT id, b AS ts, argMaxState(x, t) AS last, min(x) AS mn, max(x) AS mx, sum(x) AS sm, count() AS n, sum(i) AS inc
FROM (SELECT id, ts AS t, v AS x, inc AS i, toDateTime(toStartOfInterval(ts, INTERVAL 5 MINUTE), 'UTC') AS b FROM {db}.samples_in WHERE bitAnd(flags, 1) = 0) GROUP BY id, b;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.samples_1h_mv {on_cluster} TO {db}.samples_1h AS
SELECT id, b AS ts, argMaxMergeState(l) AS last, min(lo) AS mn, max(hi) AS mx, sum(s) AS sm, sum(c) AS n, sum(i) AS inc
FROM (SELECT id, toStartOfHour(ts) AS b, last AS l, mn AS lo, mx AS hi, sm AS s, n AS c, inc AS i FROM {db}.samples_5m) GROUP BY id, b;

-- metrics: histograms (exponential, and explicit bounds as schema -53)
CREATE TABLE IF NOT EXISTS {db}.hist {on_cluster} (
  id UInt64 CODEC(Delta(8), ZSTD(1)),
  ts DateTime64(3,'UTC') CODEC(DoubleDelta, ZSTD(1)),
  start DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)),
  form Enum8('cumulative'=1,'delta'=2,'gauge'=3) CODEC(ZSTD(1)),
  schema Int8 CODEC(ZSTD(1)),                                   -- -4..20, or -53: `bounds` are the upper limits
  zero_threshold Float64 CODEC(ZSTD(1)), zero Float64 CODEC(ZSTD(1)),
  n Float64 CODEC(ZSTD(1)), sm Float64 CODEC(ZSTD(1)), mn Float64 CODEC(ZSTD(1)), mx Float64 CODEC(ZSTD(1)),
  pos Map(Int32, Float64) CODEC(ZSTD(1)), neg Map(Int32, Float64) CODEC(ZSTD(1)),   -- bucket index -> count of this bucket alone
  bounds Array(Float64) CODEC(ZSTD(1)),
  hint Enum8('unknown'=0,'reset'=1,'not_reset'=2,'gauge'=3) CODEC(ZSTD(1)), flags UInt8 CODEC(T64, ZSTD(1))
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (id, ts)
TTL toDateTime(ts) + INTERVAL {ttl_raw_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

-- rollups: increases; exponential ones at min(schema, 3) (3 = 8 buckets per power of two, 4.4 % relative error): index >> (schema - 3)
CREATE TABLE IF NOT EXISTS {db}.hist_5m {on_cluster} (
  id UInt64 CODEC(Delta(8), ZSTD(1)),
  ts DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
  schema Int8 CODEC(ZSTD(1)), bounds Array(Float64) CODEC(ZSTD(1)),
  zero SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  n SimpleAggregateFunction(sum, UInt64) CODEC(T64, ZSTD(1)),
  sm SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  mn SimpleAggregateFunction(min, Float64) CODEC(ZSTD(1)),      -- of delta points only; +inf / -inf where not known, never NaN
  mx SimpleAggregateFunction(max, Float64) CODEC(ZSTD(1)),
  pos SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1)),
  neg SimpleAggregateFunction(sumMap, Map(Int16, UInt64)) CODEC(ZSTD(1))
) ENGINE = {Aggregating} PARTITION BY toMonday(ts) ORDER BY (id, schema, bounds, ts)
TTL ts + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE TABLE IF NOT EXISTS {db}.hist_1h {on_cluster} AS {db}.hist_5m
ENGINE = {Aggregating} PARTITION BY toYYYYMM(ts) ORDER BY (id, schema, bounds, ts) TTL ts + INTERVAL {ttl_long_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

CREATE TABLE IF NOT EXISTS {db}.hist_in {on_cluster} (
  id UInt64, ts DateTime64(3,'UTC'), start DateTime64(3,'UTC'), form Enum8('cumulative'=1,'delta'=2,'gauge'=3), schema Int8, zero_threshold Float64, zero Float64,
  n Float64, sm Float64, mn Float64, mx Float64, pos Map(Int32, Float64), neg Map(Int32, Float64), bounds Array(Float64), hint Enum8('unknown'=0,'reset'=1,'not_reset'=2,'gauge'=3), flags UInt8,
  inc_schema Int8, inc_zero UInt64, inc_n UInt64, inc_sm Float64, inc_pos Map(Int16, UInt64), inc_neg Map(Int16, UInt64)   -- increase since the previous point; inc_n = 0: nothing to roll up
) ENGINE = Null;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.hist_raw_mv {on_cluster} TO {db}.hist AS
SELECT id, ts, start, form, schema, zero_threshold, zero, n, sm, mn, mx, pos, neg, bounds, hint, flags FROM {db}.hist_in;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.hist_5m_mv {on_cluster} TO {db}.hist_5m AS
SELECT id, b AS ts, schema, bounds, sum(z) AS zero, sum(c) AS n, sum(s) AS sm, min(lo) AS mn, max(hi) AS mx, sumMap(p) AS pos, sumMap(g) AS neg
FROM (SELECT id, toDateTime(toStartOfInterval(ts, INTERVAL 5 MINUTE),'UTC') AS b, inc_schema AS schema, bounds, inc_zero AS z, inc_n AS c, inc_sm AS s, if(form='delta', mn, inf) AS lo, if(form='delta', mx, -inf) AS hi, inc_pos AS p, inc_neg AS g
      FROM {db}.hist_in WHERE inc_n > 0) GROUP BY id, schema, bounds, b;
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.hist_1h_mv {on_cluster} TO {db}.hist_1h AS
SELECT id, b AS ts, schema, bounds, sum(z) AS zero, sum(c) AS n, sum(s) AS sm, min(lo) AS mn, max(hi) AS mx, sumMap(p) AS pos, sumMap(g) AS neg
FROM (SELECT id, toStartOfHour(ts) AS b, schema, bounds, zero AS z, n AS c, sm AS s, mn AS lo, mx AS hi, pos AS p, neg AS g FROM {db}.hist_5m) GROUP BY id, schema, bounds, b;

CREATE TABLE IF NOT EXISTS {db}.exemplars {on_cluster} (
  id UInt64 CODEC(Delta(8), ZSTD(1)), ts DateTime64(3,'UTC') CODEC(DoubleDelta, ZSTD(1)), v Float64 CODEC(ZSTD(1)),
  trace_id FixedString(16) CODEC(ZSTD(1)), span_id UInt64 CODEC(ZSTD(1)), attrs Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (id, ts) TTL toDateTime(ts) + INTERVAL {ttl_spans_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
