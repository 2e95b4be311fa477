-- objectives: what was good of what was counted, per minute. Not whole where sampled spans stand for several. A minute that is counted again replaces itself.
CREATE TABLE IF NOT EXISTS {db}.slo_slices {on_cluster} (
  slo LowCardinality(String), ts DateTime('UTC') CODEC(Delta(4), ZSTD(1)), route LowCardinality(String), version LowCardinality(String),
  good Float64 CODEC(ZSTD(1)), total Float64 CODEC(ZSTD(1)), rev UInt64
) ENGINE = {Replacing:rev} PARTITION BY toMonday(ts) ORDER BY (slo, ts, route, version) TTL ts + INTERVAL {ttl_long_days} DAY SETTINGS ttl_only_drop_parts = 1, {dedup};
