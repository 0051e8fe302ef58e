-- The gazetteer: how it is loaded, and reads of places. {holes} are filled by api/gazetteer.py and api/places.py;
-- values are bound.

-- name: version
-- Which version of the gazetteer is in place.
SELECT version FROM gazetteer

-- name: begin
-- One load at a time.
SELECT pg_advisory_xact_lock(730546124)

-- name: clear
-- The places of the version before; readers see them until the new ones are there.
DELETE FROM place

-- name: stage
-- Where shapes are put aside until it is known which of them are new.
CREATE TEMP TABLE staged_shape (digest bytea, shape geometry) ON COMMIT DROP

-- name: fill_shapes
COPY staged_shape (digest, shape) FROM STDIN

-- name: keep_grounds
-- The shapes that are new, and their pieces. Those that are there stay for ever.
WITH fresh AS (
  INSERT INTO ground (digest, geom)
  SELECT DISTINCT ON (s.digest) s.digest, ST_SetSRID(s.shape, 4326) FROM staged_shape AS s
   WHERE NOT EXISTS (SELECT FROM ground AS g WHERE g.digest = s.digest)
   ORDER BY s.digest
  RETURNING id, is_line, geom)
INSERT INTO ground_piece (ground, is_line, geom) SELECT id, is_line, ST_Subdivide(geom, 128) FROM fresh

-- name: unstage
DROP TABLE staged_shape

-- name: known_grounds
-- All shapes, by what they are found by.
SELECT digest, id FROM ground

-- name: fill
COPY place (id, kind, name, names, country, admin1, population, geo_precision, uncertainty_km, geom, ground) FROM STDIN

-- name: record
INSERT INTO gazetteer (version) VALUES (%s)
ON CONFLICT (one) DO UPDATE SET version = excluded.version, loaded_at = excluded.loaded_at

-- name: measure
-- How much there is, for the planner.
ANALYZE place, ground, ground_piece

-- name: grounds
-- The shared shapes of the gazetteer in place, by the ids of their places.
SELECT id, ground FROM place WHERE ground IS NOT NULL

-- name: feature
-- A place as a feature, with some of its properties, in their order. Its geometry is its outline or its line,
-- or its point.
'{{"type":"Feature","id":"' || p.id || '","geometry":' || {geometry}
  || ',"properties":' || (SELECT row_to_json(q) FROM (SELECT {columns}) AS q) || '}}'

-- name: shape
coalesce((SELECT g.geom FROM ground AS g WHERE g.id = p.ground), p.geom)

-- name: page
-- A page of places; the header comes first, as with events.
WITH {touched}found AS MATERIALIZED (
  SELECT p.sort_population AS key, p.id FROM place AS p WHERE {where}
   ORDER BY p.sort_population {direction}, p.id {direction} LIMIT %(limit)s + 1)
SELECT json_build_object(
         'version', (SELECT version FROM gazetteer), 'more', (SELECT count(*) FROM found) > %(limit)s,
         'last', (SELECT json_build_array(key, id) FROM found
                   ORDER BY key {direction}, id {direction} OFFSET %(limit)s - 1 LIMIT 1))::text
UNION ALL
SELECT (SELECT {feature} FROM place AS p WHERE p.id = f.id)
  FROM (SELECT id FROM found ORDER BY key {direction}, id {direction} LIMIT %(limit)s) AS f

-- name: whole
-- All places that the conditions leave, for a file.
WITH {touched}found AS MATERIALIZED (SELECT p.sort_population AS key, p.id FROM place AS p WHERE {where})
SELECT json_build_object(
         'version', (SELECT version FROM gazetteer), 'more', false, 'last', NULL,
         'number', (SELECT count(*) FROM found))::text
UNION ALL
SELECT (SELECT {feature} FROM place AS p WHERE p.id = f.id)
  FROM (SELECT id FROM found ORDER BY key {direction}, id {direction}) AS f

-- name: count
WITH {touched}counted AS (SELECT count(*) AS number FROM place AS p WHERE {where})
SELECT (SELECT version FROM gazetteer), c.number FROM counted AS c

-- name: one
SELECT (SELECT version FROM gazetteer), {feature} FROM place AS p WHERE p.id = %(id)s

-- name: summary
-- How many places there are, and the bounds of their points.
SELECT (SELECT version FROM gazetteer), count(*), min(ST_X(geom)), min(ST_Y(geom)), max(ST_X(geom)), max(ST_Y(geom))
  FROM place

-- name: known
-- What a geocoder on another machine has answered before.
SELECT answer FROM geocoded WHERE provider = %(provider)s AND query = %(query)s

-- name: writable
-- Sessions of the service are for reading, unless a transaction says otherwise.
SET TRANSACTION READ WRITE

-- name: remember
INSERT INTO geocoded (provider, query, answer) VALUES (%(provider)s, %(query)s, %(answer)s)
ON CONFLICT (provider, query) DO UPDATE SET answer = excluded.answer, at = excluded.at
