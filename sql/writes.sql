-- The writes of events one by one: api/writing.py, api/idempotency.py. {holes} are lists of columns; values are bound.
-- A row comes as JSON, its geometries as WKB in hexadecimal, and each column reads its own type.

-- name: name_actor
-- In whose name this transaction writes.
SELECT set_config('hudna.actor', %(actor)s, true)

-- name: lock
-- An event as it stands, kept from others until the end; geometries in hexadecimal.
SELECT (SELECT s.epoch::text FROM feed.state AS s), e.tx_id, e.version, e.hidden, e.deleted, e.ever_public, e.dataset, e.source_id,
       (SELECT to_jsonb(c) FROM (SELECT {content}) AS c)
  FROM event AS e WHERE e.id = %(id)s FOR UPDATE

-- name: exact_tx
-- The transaction that wrote where an event really was. Asked for once the event is locked: a statement that waits for the lock
-- would tell what was there before, for the row that it waits for is the same.
SELECT x.tx_id FROM event_exact AS x WHERE x.event_id = %(id)s

-- name: taken
-- Which of these events there are, whether each is a tombstone of one that may come back, and who could see that; kept from others
-- until the end.
SELECT e.id, e.deleted AND NOT e.erased, e.visibility FROM event AS e WHERE e.id = ANY(%(ids)s) ORDER BY e.id FOR UPDATE

-- name: create
-- New events.
INSERT INTO event (id, dataset, source_id, {content})
SELECT n.id, n.dataset, n.source_id, {new} FROM jsonb_populate_recordset(NULL::event, %(rows)s) AS n

-- name: change
-- What events become; one that had been deleted is back.
UPDATE event AS e SET {assignments}, deleted = false
  FROM jsonb_populate_recordset(NULL::event, %(rows)s) AS n WHERE e.id = n.id

-- name: written
-- What versions there are now.
SELECT e.id, (SELECT s.epoch::text FROM feed.state AS s), e.tx_id, e.version, x.tx_id
  FROM event AS e LEFT JOIN event_exact AS x ON x.event_id = e.id WHERE e.id = ANY(%(ids)s)

-- name: feature
-- A version as a feature; none, if it has been erased.
SELECT v.feature FROM event_version AS v WHERE v.id = %(id)s AND v.version = %(version)s AND v.tx_id = %(tx_id)s

-- name: change_exact
-- Where an event really was, if that is known already.
UPDATE event_exact AS x SET geom = ST_SetSRID(%(geom)s::geometry, 4326)
 WHERE x.event_id = %(id)s AND x.geom::bytea <> ST_SetSRID(%(geom)s::geometry, 4326)::bytea

-- name: keep_exact
-- And if it is not.
INSERT INTO event_exact (event_id, geom)
SELECT %(id)s, ST_SetSRID(%(geom)s::geometry, 4326) WHERE NOT EXISTS (SELECT FROM event_exact AS x WHERE x.event_id = %(id)s)

-- name: drop_exact
-- It is known no more.
DELETE FROM event_exact WHERE event_id = %(id)s

-- name: delete
-- Leave a tombstone.
SELECT event_delete(%(id)s)

-- name: erase
-- Leave a tombstone, of what it was too.
SELECT event_erase(%(id)s)

-- name: forget_accounts
-- What imports told of single events, whichever it was: examples have their texts and places.
UPDATE import_job SET account = (account::jsonb - ARRAY['examples', 'new', 'lost'])::json WHERE account IS NOT NULL

-- name: audit
-- What was erased, which is nowhere else.
INSERT INTO audit (action, subject, old, new)
VALUES ('event erased', %(id)s::text, jsonb_build_object('version', %(old)s::bigint), jsonb_build_object('version', %(new)s::bigint))

-- name: forget
-- What was answered long ago. What others are just forgetting is left to them.
DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
  SELECT i.ctid FROM idempotency AS i WHERE i.at < clock_timestamp() - interval '7 days' LIMIT 1000 FOR UPDATE SKIP LOCKED))

-- name: begin
-- A request under its key. Where another one is at work under it, this waits for its end.
INSERT INTO idempotency (api_key, key, request) VALUES (%(api_key)s, %(key)s, %(request)s) ON CONFLICT DO NOTHING

-- name: recall
-- What was asked under that key, and what was answered.
SELECT i.request, i.status, i.answer FROM idempotency AS i WHERE i.api_key = %(api_key)s AND i.key = %(key)s

-- name: answer
-- What is answered.
UPDATE idempotency SET status = %(status)s, answer = %(answer)s WHERE api_key = %(api_key)s AND key = %(key)s
