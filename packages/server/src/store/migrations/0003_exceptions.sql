-- Placeholders in braces are filled in by migrate.ts: {db}, {on_cluster}, the engine family, {dedup} (the window of the
-- insert deduplication) and retention in days.

-- errors
CREATE TABLE IF NOT EXISTS {db}.errors {on_cluster} (
  ts DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)), service LowCardinality(String), env LowCardinality(String), version LowCardinality(String), instance LowCardinality(String), route LowCardinality(String),
  fp UInt64 CODEC(ZSTD(1)), type LowCardinality(String), message String CODEC(ZSTD(3)), stack String CODEC(ZSTD(3)),
  handled Bool, weight Float64 DEFAULT 1, trace_id FixedString(16) CODEC(ZSTD(1)), span_id UInt64 CODEC(ZSTD(1)), context Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (service, fp, ts) TTL toDateTime(ts) + INTERVAL {ttl_spans_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
CREATE TABLE IF NOT EXISTS {db}.error_groups {on_cluster} (
  service LowCardinality(String), fp UInt64, version LowCardinality(String), day Date, type SimpleAggregateFunction(anyLast, String), message SimpleAggregateFunction(anyLast, String),
  first_seen SimpleAggregateFunction(min, DateTime64(3,'UTC')), last_seen SimpleAggregateFunction(max, DateTime64(3,'UTC')), n SimpleAggregateFunction(sum, Float64)
) ENGINE = {Aggregating} PARTITION BY toYYYYMM(day) ORDER BY (service, fp, version, day) TTL day + INTERVAL {ttl_long_days} DAY SETTINGS {dedup};
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.error_groups_mv {on_cluster} TO {db}.error_groups AS
SELECT service, fp, version, toDate(x) AS day, anyLast(toString(t)) AS type, anyLast(m) AS message, min(x) AS first_seen, max(x) AS last_seen, sum(w) AS n
FROM (SELECT service, fp, version, type AS t, message AS m, ts AS x, weight AS w FROM {db}.errors) GROUP BY service, fp, version, day;
