-- Rollups of histograms hold a row also for times without observations: no observations is an answer, no histogram is none.
DROP VIEW IF EXISTS {db}.hist_5m_mv {on_cluster};
CREATE MATERIALIZED VIEW IF NOT EXISTS {db}.hist_5m_mv {on_cluster} TO {db}.hist_5m AS
SELECT id, b AS ts, schema, bounds, sum(z) AS zero, sum(c) AS n, sum(s) AS sm, min(lo) AS mn, max(hi) AS mx, sumMap(p) AS pos, sumMap(g) AS neg
FROM (SELECT id, toDateTime(toStartOfInterval(ts, INTERVAL 5 MINUTE),'UTC') AS b, inc_schema AS schema, bounds, inc_zero AS z, inc_n AS c, inc_sm AS s, if(form='delta' AND inc_n > 0, mn, inf) AS lo, if(form='delta' AND inc_n > 0, mx, -inf) AS hi, inc_pos AS p, inc_neg AS g
      FROM {db}.hist_in WHERE bitAnd(flags, 1) = 0 AND form != 'gauge') GROUP BY id, schema, bounds, b;
