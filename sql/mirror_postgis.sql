-- A mirror in a PostGIS of somebody's own. {holes} are filled by api/mirror/postgis.py; values are bound.

-- name: prepare
CREATE SCHEMA IF NOT EXISTS hudna

-- name: prepare_states
-- Of what each table is a copy, and how far it is.
CREATE TABLE IF NOT EXISTS hudna.mirror (
  table_name text PRIMARY KEY,
  url        text NOT NULL,
  filters    text NOT NULL,
  cursor     text,
  up_to_date boolean NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now()
)

-- name: exists
SELECT to_regclass(%(name)s) IS NOT NULL

-- name: create
CREATE TABLE hudna.{table} (id uuid PRIMARY KEY, geom public.geometry({kind}, 4326), {columns})

-- name: index
CREATE INDEX ON hudna.{table} USING gist (geom)

-- name: create_stale
-- What was there when the copy began anew, and has not been met again.
CREATE TABLE hudna.{stale} (id uuid PRIMARY KEY)

-- name: begin_state
INSERT INTO hudna.mirror (table_name, url, filters, up_to_date) VALUES (%(table)s, %(url)s, %(filters)s, false)

-- name: state
SELECT url, filters, cursor FROM hudna.mirror WHERE table_name = %(table)s

-- name: upsert
INSERT INTO hudna.{table} (id, geom, {columns}) VALUES (%(id)s, ST_SetSRID(ST_GeomFromGeoJSON(%(geom)s), 4326), {values})
ON CONFLICT (id) DO UPDATE SET geom = excluded.geom, {assignments}

-- name: delete
DELETE FROM hudna.{table} WHERE id = ANY (%(ids)s)

-- name: met
DELETE FROM hudna.{stale} WHERE id = ANY (%(ids)s)

-- name: keep
UPDATE hudna.mirror SET cursor = %(next)s, up_to_date = %(up_to_date)s, changed_at = now()
 WHERE table_name = %(table)s AND cursor IS NOT DISTINCT FROM %(cursor)s

-- name: sweep
DELETE FROM hudna.{table} AS t USING hudna.{stale} AS s WHERE s.id = t.id

-- name: swept
DELETE FROM hudna.{stale}

-- name: remember
INSERT INTO hudna.{stale} SELECT id FROM hudna.{table} ON CONFLICT DO NOTHING

-- name: restart
UPDATE hudna.mirror SET cursor = NULL, up_to_date = false WHERE table_name = %(table)s
