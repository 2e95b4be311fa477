-- the service map, written by the ingester: what calls what, per minute. A call counts in a row without a server, under the address (peer) that it called, and in a second one
-- that names the server as well once its other half has come. Of databases, caches and queues the server is known at once; kind consumer: client is the queue. Buckets in seconds, as in red_1m.
CREATE TABLE IF NOT EXISTS {db}.edges_1m {on_cluster} (
  client LowCardinality(String), peer LowCardinality(String), server LowCardinality(String), kind LowCardinality(String), env LowCardinality(String), minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
  n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), err SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),          -- as the client saw it
  err_unseen SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),                                                           -- failed at the server, although the client saw no error
  dur_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), pos SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1)),
  server_n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),                                                             -- as the server saw it
  server_dur_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), server_pos SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))
) ENGINE = {Aggregating} PARTITION BY toMonday(minute) ORDER BY (client, peer, server, kind, env, minute) TTL minute + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};

-- database statements by fingerprint, their texts without values
CREATE TABLE IF NOT EXISTS {db}.db_queries {on_cluster} (
  fp UInt64, system LowCardinality(String), statement String CODEC(ZSTD(3)), tables Array(LowCardinality(String)), op LowCardinality(String),
  last_seen DateTime('UTC')
) ENGINE = {Replacing:last_seen} ORDER BY (system, fp) TTL last_seen + INTERVAL {ttl_long_days} DAY;

CREATE TABLE IF NOT EXISTS {db}.db_stats_1m {on_cluster} (
  service LowCardinality(String), env LowCardinality(String), version LowCardinality(String), fp UInt64 CODEC(ZSTD(1)), route LowCardinality(String), caller LowCardinality(String),
  minute DateTime('UTC') CODEC(Delta, ZSTD(1)),
  n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), err SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  dur_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),
  wait_n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), wait_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),       -- waiting for a connection: of how many calls it is known, and seconds
  server_n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), server_sum SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),   -- between question and answer on the wire
  rows_n SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)), rows SimpleAggregateFunction(sum, Float64) CODEC(ZSTD(1)),           -- returned rows
  per_trace_max SimpleAggregateFunction(max, UInt32) CODEC(T64, ZSTD(1)),                                                           -- the most executions within one trace
  pos SimpleAggregateFunction(sumMap, Map(Int16, Float64)) CODEC(ZSTD(1))
) ENGINE = {Aggregating} PARTITION BY toMonday(minute) ORDER BY (service, env, fp, route, caller, version, minute) TTL minute + INTERVAL {ttl_rollup_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
