-- A mirror in a GeoPackage, in the SQL of SQLite. {holes} are filled by api/mirror/geopackage.py; values are bound.
-- The layer itself is made by GDAL.

-- name: prepare
-- The state of the copy, a table without geometry as the standard has them (12-128r19, 2.4), so that every program may show it.
CREATE TABLE hudna_mirror (
  fid INTEGER PRIMARY KEY CHECK (fid = 1), url TEXT NOT NULL, filters TEXT NOT NULL, cursor TEXT, up_to_date BOOLEAN NOT NULL)

-- name: register
INSERT INTO gpkg_contents (table_name, data_type, identifier, description)
VALUES ('hudna_mirror', 'attributes', 'hudna_mirror', 'Of what this is a copy, and how far it is.')

-- name: stale
-- What was there when the copy began anew, and has not been met again.
CREATE TABLE hudna_stale (id TEXT PRIMARY KEY) WITHOUT ROWID

-- name: unique
CREATE UNIQUE INDEX events_id ON events (id)

-- name: begin_state
INSERT INTO hudna_mirror VALUES (1, :url, :filters, NULL, 0)

-- name: is_mirror
SELECT count(*) FROM sqlite_master WHERE name = 'hudna_mirror'

-- name: state
SELECT url, filters, cursor FROM hudna_mirror

-- name: upsert
INSERT INTO events (geom, id, {columns}) VALUES (:geom, :id, {values})
ON CONFLICT (id) DO UPDATE SET geom = excluded.geom, {assignments}

-- name: delete
DELETE FROM events WHERE id = ?

-- name: met
DELETE FROM hudna_stale WHERE id = ?

-- name: keep
UPDATE hudna_mirror SET cursor = :next, up_to_date = :up_to_date WHERE cursor IS :cursor

-- name: sweep
DELETE FROM events WHERE id IN (SELECT id FROM hudna_stale)

-- name: swept
DELETE FROM hudna_stale

-- name: remember
INSERT OR IGNORE INTO hudna_stale SELECT id FROM events

-- name: restart
UPDATE hudna_mirror SET cursor = NULL, up_to_date = 0

-- name: bounds
UPDATE gpkg_contents
   SET min_x = min(coalesce(min_x, :west), :west), min_y = min(coalesce(min_y, :south), :south),
       max_x = max(coalesce(max_x, :east), :east), max_y = max(coalesce(max_y, :north), :north)
 WHERE table_name = 'events' AND :west IS NOT NULL

-- name: touched
UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
