-- Placeholders in braces are filled in by migrate.ts: {db}, {on_cluster}, the engine family and retention in days.

-- what each agent said of itself when it was last heard
CREATE TABLE IF NOT EXISTS {db}.agents {on_cluster} (
  instance String, service LowCardinality(String), version LowCardinality(String),
  revision UInt64,                                              -- of the desired state that it had applied
  capabilities LowCardinality(String),                          -- separated by commas
  owner LowCardinality(String),                                 -- the name of the token that it sends under
  last_seen DateTime64(3,'UTC')
) ENGINE = {Replacing:last_seen} ORDER BY instance TTL toDateTime(last_seen) + INTERVAL {ttl_rollup_days} DAY;
