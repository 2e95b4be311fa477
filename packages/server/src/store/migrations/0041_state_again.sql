-- What is still in force is written again before its month is dropped (store/state-in-force.ts): then this says when it was written first, else it is 0.
ALTER TABLE {db}.state_log {on_cluster} ADD COLUMN IF NOT EXISTS first_written DateTime64(3,'UTC') CODEC(ZSTD(1));
