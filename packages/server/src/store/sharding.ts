// By what the rows of each table are spread over the shards of a cluster.

/**
 * The sharding key of each table, an expression of its columns: what is summed, replaced or joined together lies together. Undefined for
 * tables that only views write to and whose rows lie where those of the view's source do.
 */
export const SHARDING: Readonly<Record<string, string | undefined>> = {
  // Small, and appended in one insert that must be stored whole: all on the first shard, whatever the column holds. A condition on that
  // column lets ClickHouse know, so that they are read without the other shards (firstShard in sql.ts).
  schema_migrations: 'bitAnd(version, 0)',
  state_log: 'bitAnd(length(kind), 0)',

  metric_meta: 'xxHash64(name)',
  series: 'id',
  samples_in: 'id',
  samples: 'id',
  samples_5m: 'id',
  samples_1h: 'id',
  hist_in: 'id',
  hist: 'id',
  hist_5m: 'id',
  hist_1h: 'id',
  exemplars: 'id',

  spans: 'xxHash64(trace_id)',
  resources: 'hash',
  red_1m: undefined,
  edges_1m: 'xxHash64(client, peer)',
  db_queries: 'fp',
  db_stats_1m: 'fp',

  errors: 'xxHash64(service)',
  error_groups: undefined,
  stalls: 'xxHash64(service)',
  stacks: 'xxHash64(service)',
  profile_sets: 'xxHash64(service)',
  profile_samples: 'xxHash64(service)',
  profile_5m: undefined,

  slo_slices: 'xxHash64(slo)',

  inventory: 'xxHash64(service)',
  agents: 'xxHash64(instance)',
}

/** Tables whose inserts settle only when their shard has them, because what is read back must be what was written. */
export const FOREGROUND: ReadonlySet<string> = new Set(['schema_migrations', 'state_log', 'inventory', 'agents', 'slo_slices'])
