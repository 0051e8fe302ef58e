-- Whose eyes, and as of when: what api/sight.py puts into statements about events, which call the event e, the present state
-- of the feed s. Values are bound.

-- name: past
-- The test that a version was the present one at a head.
(SELECT t.seq FROM feed.tx AS t WHERE t.tx_id = e.tx_id) <= %(as_of)s
  AND (e.superseded_by IS NULL OR (SELECT t.seq FROM feed.tx AS t WHERE t.tx_id = e.superseded_by) > %(as_of)s)

-- name: kept
-- The test that an old version may still be shown: neither erased nor restricted since.
NOT e.erased AND e.id NOT IN (SELECT w.id FROM event AS w WHERE w.withheld)

-- name: erased
-- The same for those who may see what is restricted.
NOT e.erased

-- name: missing
-- How many events of a head cannot be shown any more, wherever they were.
(SELECT count(*) FROM event_history AS e
  WHERE e.id IN (SELECT id FROM event_history WHERE erased UNION SELECT id FROM event WHERE withheld)
    AND e.public AND {past})

-- name: erasures
-- The same for those who may see what is restricted.
(SELECT count(*) FROM event_history AS e WHERE e.erased AND (e.public OR e.hidden) AND {past})

-- name: state
-- The head that is seen, and which gazetteer there is.
SELECT s.epoch::text, {head}, {total}, coalesce(g.version, ''), {mark}, {withheld}
  FROM feed.state AS s LEFT JOIN gazetteer AS g ON true

-- name: settled
-- Waits for those who are about to commit: behind it, nobody will who is stamped with an instant before it.
SELECT pg_advisory_xact_lock_shared(730546121)

-- name: by_number
-- The newest head; the last head, up to a number, at which something changed; its instant, and how many events there were.
SELECT {newest}, t.seq, instant(t.at), t.total
  FROM feed.state AS s
  LEFT JOIN LATERAL (SELECT * FROM feed.tx AS t WHERE t.seq <= %(number)s AND {told} ORDER BY t.seq DESC LIMIT 1) AS t ON true

-- name: by_instant
-- The same up to an instant.
SELECT {newest}, t.seq, instant(t.at), t.total
  FROM feed.state AS s
  LEFT JOIN LATERAL (SELECT * FROM feed.tx AS t WHERE t.seq IS NOT NULL AND t.at <= %(instant)s AND {told}
                      ORDER BY t.at DESC, t.seq DESC LIMIT 1) AS t ON true

-- name: epochs
-- The present epoch, and the former ones with the last head of each whose data is still here.
SELECT epoch::text, head FROM feed.state UNION ALL SELECT epoch::text, until FROM feed.epoch
