-- stalls: blocks of the event loop, as agents tell them
CREATE TABLE IF NOT EXISTS {db}.stalls {on_cluster} (
  service LowCardinality(String), ts DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)), env LowCardinality(String), version LowCardinality(String), instance LowCardinality(String),
  kind LowCardinality(String), seconds Float64, cpu_seconds Float64, route LowCardinality(String),          -- kind: cpu or waiting; route is empty when it is not known
  trace_id FixedString(16) CODEC(ZSTD(1)), span_id UInt64 CODEC(ZSTD(1)),                                   -- zero when no span was active
  stack String CODEC(ZSTD(3)), share Float64, samples UInt32                                                -- the stack is empty when no profile was taken meanwhile
) ENGINE = {MergeTree} PARTITION BY toDate(ts) ORDER BY (service, ts) TTL toDateTime(ts) + INTERVAL {ttl_spans_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
