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
-- The events that come more than once.
CREATE TEMP TABLE repeated ON COMMIT DROP AS
SELECT id FROM staged GROUP BY id HAVING count(*) > 1

-- name: measure
-- How much there is, for the planner.
ANALYZE staged (id), repeated

-- name: clashes
-- The rows that another row of the same event contradicts, each with the first such row.
SELECT DISTINCT ON (s.ctid) s.source_id, s.file, s.line, o.file, o.line
  FROM staged AS s JOIN staged AS o ON o.id = s.id AND o.ctid <> s.ctid
 WHERE s.id IN (SELECT id FROM repeated) AND o.id IN (SELECT id FROM repeated)
   AND ({same}) IS DISTINCT FROM ({other})
 ORDER BY s.ctid, o.ctid

-- name: drop_clashing
-- Without those.
DELETE FROM staged AS s USING staged AS o
 WHERE o.id = s.id AND o.ctid <> s.ctid
   AND s.id IN (SELECT id FROM repeated) AND o.id IN (SELECT id FROM repeated)
   AND ({same}) IS DISTINCT FROM ({other})

-- name: drop_repeats
-- Of rows that say the same, the first.
DELETE FROM staged AS s USING staged AS o
 WHERE o.id = s.id AND o.ctid < s.ctid
   AND s.id IN (SELECT id FROM repeated) AND o.id IN (SELECT id FROM repeated)

-- name: name_import
-- The import in whose name the transaction writes.
SELECT set_config('hudna.import_id', %s, true)

-- name: compare
-- The events that are there already and say something else, before and after.
CREATE TEMP TABLE changed ON COMMIT DROP AS
SELECT e.id, e.source_id, (SELECT to_jsonb(b) FROM (SELECT {before_named}) AS b) AS before,
       (SELECT to_jsonb(a) FROM (SELECT {after_named}) AS a) AS after
  FROM staged AS s JOIN event AS e ON e.id = s.id
 WHERE ({before}) IS DISTINCT FROM ({after})

-- name: changed_fields
-- How often each field changed.
SELECT b.key, count(*) FROM changed AS c, jsonb_each(c.before) AS b
 WHERE b.value <> c.after -> b.key GROUP BY b.key ORDER BY count(*) DESC, b.key

-- name: changed_examples
-- Some changes: one of each field, the most frequent first, before a second of any.
SELECT source_id, key, before, after
  FROM (SELECT c.source_id, b.key, b.value AS before, c.after -> b.key AS after,
               row_number() OVER (PARTITION BY b.key ORDER BY c.source_id) AS n,
               count(*) OVER (PARTITION BY b.key) AS often
          FROM changed AS c, jsonb_each(c.before) AS b WHERE b.value <> c.after -> b.key) AS found
 ORDER BY n, often DESC, key LIMIT 5

-- name: place_on
-- A place whose outline or line is that shared ground.
SELECT id FROM place WHERE ground = %s ORDER BY id LIMIT 1

-- name: change
-- What differs becomes what was read; an event that had been deleted is back.
UPDATE event AS e SET {assignments}, source_release = s.source_release, deleted = false
  FROM staged AS s WHERE s.id = e.id AND e.id IN (SELECT id FROM changed)

-- name: create
-- What is new.
INSERT INTO event (id, dataset, source_id, source_release, {content})
SELECT id, dataset, source_id, source_release, {content} FROM staged AS s
 WHERE NOT EXISTS (SELECT FROM event AS e WHERE e.id = s.id)

-- name: replace_rows
-- The source's rows that read otherwise than before.
UPDATE source_row AS r SET import_id = %(id)s, file = s.file, line = s.line, row = s.row
  FROM staged AS s WHERE s.id = r.event_id AND s.row <> r.row

-- name: keep_rows
-- The source's rows of events that had none.
INSERT INTO source_row (event_id, import_id, file, line, row)
SELECT id, %(id)s, file, line, row FROM staged AS s
 WHERE row IS NOT NULL AND NOT EXISTS (SELECT FROM source_row AS r WHERE r.event_id = s.id)

-- name: had
-- Whether this has been imported before.
SELECT EXISTS (SELECT FROM import
                WHERE (format, dataset) = (%(format)s, %(dataset)s) AND release IS NOT DISTINCT FROM %(release)s)

-- name: record
-- The import itself.
INSERT INTO import (id, format, dataset, files, release, read, created, changed, unchanged, rejected)
VALUES (%(id)s, %(format)s, %(dataset)s, %(files)s, %(release)s,
        %(read)s, %(created)s, %(changed)s, %(unchanged)s, %(rejected)s)

-- name: clear
-- The tables of this import, for another one in the same transaction.
DROP TABLE staged, repeated, changed
