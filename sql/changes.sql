-- The feed of changes. {holes} are filled by api/feed.py and api/sight.py; values are bound. One statement is one snapshot:
-- the page, the head up to which it is complete and what has been pruned cannot disagree. Its first row is a JSON header,
-- each further row the finished text of a change.

-- name: heads
-- How far everything has come.
SELECT epoch::text, public_head, head FROM feed.state

-- name: page
-- The next changes in the order of the commits, and of the ids within one: each event once, where it was changed last.
-- First the rest of the transaction in which the page before ended, then those behind it; the partial index of feed.tx passes
-- over those of which nothing is left. The planner is not shown the cursor: by statistics of before the last commits nearly nothing is
-- behind it, and it would sort all of that. What a client who began at `base` cannot have seen need not be taken from it.
WITH {touched}here AS MATERIALIZED (
  SELECT s.epoch::text AS epoch, {head} AS head, s.min_seq, coalesce(g.version, '') AS gazetteer,
         coalesce(%(base)s, {head}) AS base, {mark} AS mark, {total} AS total
    FROM feed.state AS s LEFT JOIN gazetteer AS g ON true),
ahead AS MATERIALIZED (
  SELECT seq, id FROM (
    (SELECT %(seq)s::bigint AS seq, e.id FROM event AS e
      WHERE e.{tx} = (SELECT tx_id FROM feed.tx WHERE seq = %(seq)s) AND e.id > %(after)s
      ORDER BY e.id LIMIT %(limit)s + 1)
    UNION ALL
    (SELECT t.seq, e.id FROM feed.tx AS t CROSS JOIN LATERAL (
       SELECT o.id FROM event AS o WHERE o.{tx} = t.tx_id ORDER BY o.id LIMIT %(limit)s + 1) AS e
      WHERE t.{live} > 0 AND t.seq > (SELECT %(seq)s::bigint) ORDER BY t.seq, e.id LIMIT %(limit)s + 1)) AS u
   ORDER BY seq, id LIMIT %(limit)s + 1)
SELECT json_build_object(
         'epoch', epoch, 'head', head, 'total', total, 'gazetteer', gazetteer, 'mark', mark,
         'min_seq', least(min_seq, head), 'base', base,
         'more', (SELECT count(*) FROM ahead) > %(limit)s,
         'last', (SELECT json_build_array(seq, id) FROM ahead ORDER BY seq, id OFFSET %(limit)s - 1 LIMIT 1))::text
  FROM here
UNION ALL
SELECT c.change FROM (
  SELECT (SELECT CASE WHEN {seen} AND {where} THEN '{{"op":"upsert","id":"' || e.id || '","feature":' || {feature} || '}}'
                      WHEN a.seq > (SELECT base FROM here) THEN '{{"op":"delete","id":"' || e.id || '"}}' END
            FROM event AS e WHERE e.id = a.id) AS change
    FROM (SELECT seq, id FROM ahead ORDER BY seq, id LIMIT %(limit)s) AS a OFFSET 0) AS c
 WHERE c.change IS NOT NULL
