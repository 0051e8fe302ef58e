-- Ground: the shapes that many events and places share, stored once; and the gazetteer.

CREATE TABLE ground (
  id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest  bytea NOT NULL UNIQUE,
  geom    geometry(Geometry, 4326) NOT NULL,
  is_line boolean NOT NULL GENERATED ALWAYS AS (ST_Dimension(geom) = 1) STORED
);
COMMENT ON TABLE ground IS
  'Shapes that are shared: countries, divisions, regions, borders. A row is never changed and never removed, so that what an event was said to stand on stays what it was.';
COMMENT ON COLUMN ground.digest IS 'SHA-256 of the shape as WKB: the same shape is stored once.';
CREATE INDEX ground_place ON ground USING gist (geom);

-- The same shapes in pieces of few corners: a box meets a piece of Russia sooner than Russia.
CREATE TABLE ground_piece (
  ground  int NOT NULL REFERENCES ground,
  is_line boolean NOT NULL,
  geom    geometry(Geometry, 4326) NOT NULL
);
CREATE INDEX ground_piece_place ON ground_piece USING gist (geom);

CREATE TABLE place (
  id             text PRIMARY KEY,
  kind           text NOT NULL CHECK (kind IN ('settlement', 'site', 'admin1', 'region', 'country', 'border')),
  name           text NOT NULL,
  names          text[] NOT NULL DEFAULT '{}',
  country        text CHECK (country ~ '^[A-Z]{3}$'),
  admin1         text,
  population     int CHECK (population > 0),
  geo_precision  text NOT NULL,
  uncertainty_km double precision NOT NULL CHECK (uncertainty_km >= 0),
  geom           geometry(Point, 4326) NOT NULL,
  ground         int REFERENCES ground,
  sort_population int NOT NULL GENERATED ALWAYS AS (coalesce(population, -1)) STORED
);
COMMENT ON TABLE place IS 'The gazetteer, as it is served; names are looked up in an index file (geo.index).';
COMMENT ON COLUMN place.names IS 'Other names, in any script.';
COMMENT ON COLUMN place.population IS 'NULL: not known.';
COMMENT ON COLUMN place.ground IS 'Its outline or line; NULL: a point, and uncertainty_km around it.';
CREATE INDEX place_largest ON place (sort_population DESC, id DESC);
CREATE INDEX place_country ON place (country, sort_population DESC, id DESC);
CREATE INDEX place_ground  ON place (ground) WHERE ground IS NOT NULL;
CREATE INDEX place_point   ON place USING gist (geom) WHERE ground IS NULL;

CREATE TABLE gazetteer (
  one       boolean PRIMARY KEY DEFAULT true CHECK (one),
  version   text NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT transaction_timestamp()
);
COMMENT ON TABLE gazetteer IS 'Which version of the gazetteer is in place; no row: none.';

-- What geocoders on other machines have answered, so that none is asked twice.
CREATE TABLE geocoded (
  provider text NOT NULL,
  query    text NOT NULL,
  answer   jsonb,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, query)
);
COMMENT ON COLUMN geocoded.answer IS 'NULL: the provider knows no such place.';

ALTER TABLE event ADD COLUMN ground int REFERENCES ground;
COMMENT ON COLUMN event.footprint IS 'The ground it may have happened on, if it is its own.';
COMMENT ON COLUMN event.ground IS 'The ground it may have happened on, if it is shared. Neither this nor footprint: no more is known than the point.';
ALTER TABLE event ADD CONSTRAINT event_one_footprint CHECK (ground IS NULL OR footprint IS NULL);

ALTER TABLE event ADD COLUMN reach real NOT NULL GENERATED ALWAYS AS (
  CASE WHEN footprint IS NULL OR geom IS NULL THEN 0
       ELSE CASE WHEN ST_Distance(footprint, geom) = 0 THEN 1.5 ELSE -1.5 END * greatest(ST_XMax(footprint) - ST_X(geom), ST_X(geom) - ST_XMin(footprint),
                           ST_YMax(footprint) - ST_Y(geom), ST_Y(geom) - ST_YMin(footprint)) END) STORED;
COMMENT ON COLUMN event.reach IS 'No ground of the own footprint is farther from the point than so many degrees, with a minus if the point is not on it: what is farther off, or nearer, need not look at the footprint.';

-- Its columns are those of event, in their order, and then superseded_by.
ALTER TABLE event_history ADD COLUMN ground int, ADD COLUMN reach real;
ALTER TABLE event_history RENAME COLUMN superseded_by TO superseded_by_before;
ALTER TABLE event_history ADD COLUMN superseded_by bigint;
UPDATE event_history SET superseded_by = superseded_by_before;
ALTER TABLE event_history ALTER COLUMN superseded_by SET NOT NULL, DROP COLUMN superseded_by_before;
COMMENT ON COLUMN event_history.superseded_by IS 'The transaction that wrote the next version: feed.tx.';
CREATE INDEX event_history_tx ON event_history (superseded_by);

CREATE OR REPLACE FUNCTION event_content(e event) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_jsonb(c) FROM (
    SELECT e.event_type, e.sub_event_type, e.notes, e.tags, e.actors, e.starts_on, e.ends_on, e.date_precision,
           e.date_phrase, e.place_name, e.country, e.admin1, e.admin2, e.geo_precision, e.uncertainty_km,
           e.geocoder, e.geom::bytea AS geom, e.footprint::bytea AS footprint, e.ground, e.fatalities_low,
           e.fatalities_best, e.fatalities_high, e.fatalities_civilians, e.reports, e.visibility, e.deleted) AS c
$$;

CREATE OR REPLACE FUNCTION event_delete(event_id uuid, expected bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE event
     SET deleted = true, sub_event_type = NULL, notes = NULL, tags = '{}', actors = '[]', starts_on = NULL,
         ends_on = NULL, date_precision = NULL, date_phrase = NULL, place_name = NULL, country = NULL,
         admin1 = NULL, admin2 = NULL, geo_precision = NULL, uncertainty_km = NULL, geocoder = NULL, geom = NULL,
         footprint = NULL, ground = NULL, fatalities_low = NULL, fatalities_best = NULL, fatalities_high = NULL,
         fatalities_civilians = NULL, reports = '[]'
   WHERE id = event_id AND NOT deleted AND (expected IS NULL OR version = expected)
   RETURNING version
$$;

-- An event that shares no ground stands on its own footprint or, if no more is known, on its point.
CREATE INDEX event_own_ground ON event USING gist ((coalesce(footprint, geom)), sort_on) WHERE public AND ground IS NULL;
-- Where both walks may tell by the index alone that a footprint is too far off.
DROP INDEX event_newest, event_deadliest;
CREATE INDEX event_newest     ON event (sort_on DESC, id DESC) INCLUDE (geom, ground, reach) WHERE public;
CREATE INDEX event_deadliest  ON event (sort_toll DESC, id DESC) INCLUDE (geom, ground, reach) WHERE public;
CREATE INDEX event_ground     ON event (ground, sort_on DESC, id DESC) WHERE public AND ground IS NOT NULL;
CREATE INDEX event_precision  ON event (geo_precision, sort_on DESC, id DESC) WHERE public;
