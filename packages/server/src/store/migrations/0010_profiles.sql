-- profiles: stacks once per service, samples by the hash of their stack
CREATE TABLE IF NOT EXISTS {db}.stacks {on_cluster} (
  service LowCardinality(String), hash UInt64 CODEC(ZSTD(1)), frames Array(LowCardinality(String)) CODEC(ZSTD(3)), last_seen DateTime('UTC')
) ENGINE = {Replacing:last_seen} ORDER BY (service, hash) TTL last_seen + INTERVAL {ttl_rollup_days} DAY;
CREATE TABLE IF NOT EXISTS {db}.profile_sets {on_cluster} (
  service LowCardinality(String), type LowCardinality(String), env LowCardinality(String), version LowCardinality(String), instance LowCardinality(String),
  ts DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)), seconds Float64, samples UInt32, session String                  -- one row per profile sent: the timeline, and the divisor for in-use heap
) ENGINE = {MergeTree} PARTITION BY toYYYYMM(ts) ORDER BY (service, type, ts) TTL toDateTime(ts) + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE TABLE IF NOT EXISTS {db}.profile_samples {on_cluster} (
  service LowCardinality(String), type Enum8('cpu'=1,'wall'=2,'heap_space'=3,'heap_objects'=4,'alloc_space'=5,'alloc_objects'=6), ts DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)),
  env LowCardinality(String), version LowCardinality(String), instance LowCardinality(String), route LowCardinality(String),
  trace_id FixedString(16) CODEC(ZSTD(1)), span_id UInt64 CODEC(ZSTD(1)),   -- zero when no span was active
  stack UInt64 CODEC(ZSTD(1)), value Int64 CODEC(T64, ZSTD(1))              -- nanoseconds, bytes or objects
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (service, type, toStartOfFiveMinutes(ts), route, instance, ts, stack) TTL toDateTime(ts) + INTERVAL {ttl_spans_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE TABLE IF NOT EXISTS {db}.profile_5m {on_cluster} (
  service LowCardinality(String), type Enum8('cpu'=1,'wall'=2,'heap_space'=3,'heap_objects'=4,'alloc_space'=5,'alloc_objects'=6), ts DateTime('UTC') CODEC(Delta, ZSTD(1)),
  env LowCardinality(String), version LowCardinality(String), route LowCardinality(String), stack UInt64 CODEC(ZSTD(1)), value Int64 CODEC(T64, ZSTD(1)), n UInt32 CODEC(T64, ZSTD(1))
) ENGINE = {Summing} PARTITION BY toMonday(ts) ORDER BY (service, type, ts, env, version, route, stack) TTL ts + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.profile_5m_mv {on_cluster} TO {db}.profile_5m AS
SELECT service, type, b AS ts, env, version, route, stack, sum(v) AS value, toUInt32(count()) AS n
FROM (SELECT service, type, toDateTime(toStartOfInterval(ts, INTERVAL 5 MINUTE),'UTC') AS b, env, version, route, stack, value AS v FROM {db}.profile_samples) GROUP BY service, type, b, env, version, route, stack;
