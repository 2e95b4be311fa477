-- Placeholders in braces are filled in by migrate.ts: {db}, {on_cluster}, the engine family, {dedup} (the window of the
-- insert deduplication) and retention in days.

-- small state, replayed at start; it has no lifetime of the engine: what still holds is written again before its month is dropped
CREATE TABLE IF NOT EXISTS {db}.state_log {on_cluster} (
  kind LowCardinality(String),                                  -- agent-control, breach
  key String, rev UInt64,                                       -- the row of a key with the highest rev holds
  written DateTime64(3,'UTC') CODEC(Delta(8), ZSTD(1)),         -- the same for all rows of one insert, so that they lie in one partition
  state LowCardinality(String), service LowCardinality(String), severity LowCardinality(String), actor LowCardinality(String), doc String CODEC(ZSTD(3))
) ENGINE = {MergeTree} PARTITION BY toYYYYMM(written) ORDER BY (kind, key, written, rev) SETTINGS {dedup};

-- routes, jobs, handlers and dependencies that applications register
CREATE TABLE IF NOT EXISTS {db}.inventory {on_cluster} (
  service LowCardinality(String), version LowCardinality(String), kind LowCardinality(String), name String, last_seen DateTime('UTC')
) ENGINE = {Replacing:last_seen} ORDER BY (service, kind, name, version) TTL last_seen + INTERVAL {ttl_rollup_days} DAY;
