-- The writes of an import. {holes} are lists of columns, filled by api/importers/store.py; values are bound.
-- Everything is staged first, and then compared and written as sets: what is there already is not touched.

-- name: begin
-- One import at a time, so that two cannot wait for each other; and none goes on when its client is gone.
SELECT set_config('client_connection_check_interval', '1s', true), pg_advisory_xact_lock(730546123)

-- name: stage
-- The table in which events are put aside, typed as they will be but without constraints.
CREATE TEMP TABLE staged ON COMMIT DROP AS
SELECT id, dataset, source_id, source_release, {content}, ''::text AS file, 0::bigint AS line, NULL::jsonb AS row
  FROM event WITH NO DATA

-- name: fill
-- Events as they come.
COPY staged ({staged}) FROM STDIN

-- name: repeats
-- The events that come more than once, each with the first of its rows.
CREATE TEMP TABLE repeated ON COMMIT DROP AS
SELECT id, min(ctid) AS first FROM staged GROUP BY id HAVING count(*) > 1

-- name: contradictions
-- Those whose rows do not all say the same, each with the first row that contradicts the first. Every row is compared
-- with that one alone: all with all would take the square of how many rows an event has.
CREATE TEMP TABLE contradicted ON COMMIT DROP AS
SELECT r.id, r.first, min(s.ctid) AS other
  FROM repeated AS r JOIN staged AS f ON f.ctid = r.first JOIN staged AS s ON s.id = r.id
 WHERE ({same}) IS DISTINCT FROM ({first}) GROUP BY r.id, r.first

-- name: measure
-- How much there is, for the planner.
ANALYZE staged (id), repeated, contradicted

-- name: clashes
-- The rows that another row of the same event contradicts, each with the first such row: that is the first of all,
-- or for those that say the same as it the first that does not.
SELECT s.source_id, s.file, s.line, o.file, o.line
  FROM contradicted AS c JOIN staged AS s ON s.id = c.id JOIN staged AS f ON f.ctid = c.first
  JOIN staged AS o ON o.ctid = CASE WHEN ({same}) IS DISTINCT FROM ({first}) THEN c.first ELSE c.other END
 ORDER BY s.ctid

-- name: drop_clashing
-- Without those.
DELETE FROM staged WHERE id IN (SELECT id FROM contradicted)

-- name: drop_repeats
-- Of rows that say the same, the first.
DELETE FROM staged AS s USING repeated AS r WHERE r.id = s.id AND s.ctid <> r.first

-- name: name_import
-- The import in whose name the transaction writes.
SELECT set_config('hudna.import_id', %s, true)

-- name: compare
-- The events that are there already and say something else, before and after. What has been erased stays so.
CREATE TEMP TABLE changed ON COMMIT DROP AS
SELECT e.id, e.source_id, (SELECT to_jsonb(b) FROM (SELECT {before_named}) AS b) AS before,
       (SELECT to_jsonb(a) FROM (SELECT {after_named}) AS a) AS after
  FROM staged AS s JOIN event AS e ON e.id = s.id
 WHERE NOT e.erased AND ({before}) IS DISTINCT FROM ({after})

-- name: changed_fields
-- How often each field changed.
SELECT b.key, count(*) FROM changed AS c, jsonb_each(c.before) AS b
 WHERE b.value <> c.after -> b.key GROUP BY b.key ORDER BY count(*) DESC, b.key

-- name: kinds
-- How many events changed in what way: in their place, in their time, in the rest, or by coming back from deletion.
SELECT kind, count(DISTINCT id) FROM (
  SELECT c.id, CASE WHEN b.key = 'deleted' THEN 'back' WHEN b.key = ANY(%(place)s) THEN 'moved'
                    WHEN b.key = ANY(%(time)s) THEN 'redated' ELSE 'recoded' END AS kind
    FROM changed AS c, jsonb_each(c.before) AS b
   WHERE b.value <> c.after -> b.key AND (b.key = 'deleted' OR NOT (c.before -> 'deleted')::boolean)) AS found
 GROUP BY kind

-- name: changed_examples
-- Some changes of each kind: one of each field, the most frequent first, before a second of any.
SELECT kind, source_id, key, before, after
  FROM (SELECT *, row_number() OVER (PARTITION BY kind ORDER BY n, often DESC, key) AS place
          FROM (SELECT *, row_number() OVER (PARTITION BY key ORDER BY source_id) AS n,
                       count(*) OVER (PARTITION BY key) AS often
                  FROM (SELECT c.source_id, b.key, b.value AS before, c.after -> b.key AS after,
                               CASE WHEN b.key = 'deleted' THEN 'back' WHEN b.key = ANY(%(place)s) THEN 'moved'
                                    WHEN b.key = ANY(%(time)s) THEN 'redated' ELSE 'recoded' END AS kind
                          FROM changed AS c, jsonb_each(c.before) AS b
                         WHERE b.value <> c.after -> b.key
                           AND (b.key = 'deleted' OR NOT (c.before -> 'deleted')::boolean)) AS found) AS ranked) AS best
 WHERE place <= %(shown)s ORDER BY kind, place

-- name: place_on
-- A place whose outline or line is that shared ground.
SELECT id FROM place WHERE ground = %s ORDER BY id LIMIT 1

-- name: change
-- What differs becomes what was read; an event that had been deleted is back.
UPDATE event AS e SET {assignments}, source_release = s.source_release, deleted = false
  FROM staged AS s WHERE s.id = e.id AND e.id IN (SELECT id FROM changed)

-- name: forget_exact
-- Where events really were that have been moved: it is known no more.
DELETE FROM event_exact AS x USING changed AS c
 WHERE x.event_id = c.id AND c.before -> 'geom' IS DISTINCT FROM c.after -> 'geom'

-- name: create
-- What is new.
INSERT INTO event (id, dataset, source_id, source_release, {content})
SELECT id, dataset, source_id, source_release, {content} FROM staged AS s
 WHERE NOT EXISTS (SELECT FROM event AS e WHERE e.id = s.id)

-- name: created_examples
-- Some of what is new, in words.
SELECT s.source_id, concat_ws(', ', s.event_type, s.starts_on, s.place_name, s.country) FROM staged AS s
 WHERE NOT EXISTS (SELECT FROM event AS e WHERE e.id = s.id) ORDER BY s.source_id LIMIT %(shown)s

-- name: absent
-- The events that are to go.
CREATE TEMP TABLE absent (id uuid, source_id text, words text) ON COMMIT DROP

-- name: unread
-- Those of these data sets that are there and were not read.
INSERT INTO absent
SELECT e.id, e.source_id, concat_ws(', ', e.event_type, e.starts_on, e.place_name, e.country)
  FROM event AS e WHERE e.dataset = ANY(%(datasets)s) AND NOT e.deleted
   AND NOT EXISTS (SELECT FROM staged AS s WHERE s.id = e.id)

-- name: withdrawn
-- Those that their source has withdrawn.
INSERT INTO absent
SELECT e.id, e.source_id, concat_ws(', ', e.event_type, e.starts_on, e.place_name, e.country)
  FROM event AS e WHERE e.id = ANY(%(ids)s) AND NOT e.deleted

-- name: living
-- How many events of these data sets there are.
SELECT count(*) FROM event WHERE dataset = ANY(%(datasets)s) AND NOT deleted

-- name: gone_examples
-- How many are to go, and some of them, in words.
SELECT source_id, words, count(*) OVER () FROM absent ORDER BY source_id LIMIT %(shown)s

-- name: bury
-- A tombstone for each, all by one statement.
SELECT count(*) FROM events_delete(ARRAY(SELECT id FROM absent))

-- name: no_more_absent
DROP TABLE absent

-- name: datasets
-- The data sets of what was read.
SELECT DISTINCT dataset FROM staged ORDER BY dataset

-- name: replace_rows
-- The source's rows that read otherwise than before.
UPDATE source_row AS r SET import_id = %(id)s, file = s.file, line = s.line, row = s.row
  FROM staged AS s WHERE s.id = r.event_id AND s.row <> r.row

-- name: keep_rows
-- The source's rows of events that had none; what has been erased keeps none.
INSERT INTO source_row (event_id, import_id, file, line, row)
SELECT id, %(id)s, file, line, row FROM staged AS s
 WHERE row IS NOT NULL AND NOT EXISTS (SELECT FROM source_row AS r WHERE r.event_id = s.id)
   AND NOT EXISTS (SELECT FROM event AS e WHERE e.id = s.id AND e.erased)

-- name: had
-- Whether this has been imported before.
SELECT EXISTS (SELECT FROM import
                WHERE (format, dataset) = (%(format)s, %(dataset)s) AND release IS NOT DISTINCT FROM %(release)s)

-- name: known
-- When a file with this digest was last imported with these options.
SELECT max(at) FROM import
 WHERE sha256 @> ARRAY[%(sha256)s] AND format = %(format)s AND options = %(options)s::jsonb

-- name: record
-- The import itself.
INSERT INTO import (id, format, dataset, files, sha256, options, release, read, created, changed, unchanged, rejected, gone)
VALUES (%(id)s, %(format)s, %(dataset)s, %(files)s, %(sha256)s, %(options)s, %(release)s,
        %(read)s, %(created)s, %(changed)s, %(unchanged)s, %(rejected)s, %(gone)s)

-- name: clear
-- The tables of this import, for another one in the same transaction.
DROP TABLE staged, repeated, contradicted, changed
