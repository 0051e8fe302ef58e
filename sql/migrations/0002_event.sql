-- One row = one event = one GeoJSON feature. A column's name is its name in JSON, in the schema and in
-- the query parameters.

CREATE TABLE event (
  id                   uuid PRIMARY KEY,
  dataset              text NOT NULL,
  source_id            text NOT NULL,
  source_release       text,
  event_type           text NOT NULL CHECK (event_type IN (
                         'Battles', 'Explosions/Remote violence', 'Violence against civilians',
                         'Protests', 'Riots', 'Strategic developments')),
  sub_event_type       text,
  notes                text,
  tags                 text[] NOT NULL DEFAULT '{}',
  actors               jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(actors) = 'array'),
  actor1               text,
  actor2               text,
  starts_on            date CHECK (starts_on >= date '0002-01-01'),
  ends_on              date,
  date_precision       text CHECK (date_precision IN ('day', 'days', 'week', 'month', 'year', 'open')),
  date_phrase          text,
  place_name           text,
  country              text CHECK (country ~ '^[A-Z]{3}$'),
  admin1               text,
  admin2               text,
  geo_precision        text CHECK (geo_precision IN (
                         'exact', 'settlement', 'near', 'admin2', 'admin1', 'linear', 'area', 'country', 'sea_air')),
  uncertainty_km       double precision CHECK (uncertainty_km >= 0),
  geocoder             text,
  geom                 geometry(Point, 4326) CHECK (
                         NOT ST_IsEmpty(geom)
                         AND ST_X(geom) BETWEEN -180 AND 180 AND ST_Y(geom) BETWEEN -90 AND 90),
  footprint            geometry(Geometry, 4326),
  fatalities_low       int CHECK (fatalities_low >= 0),
  fatalities_best      int CHECK (fatalities_best >= 0),
  fatalities_high      int CHECK (fatalities_high >= 0),
  fatalities_civilians int CHECK (fatalities_civilians >= 0),
  status               text NOT NULL CHECK (status IN ('confirmed', 'claimed', 'denied', 'disputed', 'unverified')),
  reports              jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(reports) = 'array'),
  version              bigint NOT NULL,
  updated_at           timestamptz NOT NULL,
  visibility           text NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'restricted')),
  tx_id                bigint NOT NULL,
  deleted              boolean NOT NULL DEFAULT false,
  ever_public          boolean NOT NULL,
  feature              text,
  public               boolean NOT NULL GENERATED ALWAYS AS (visibility = 'public' AND NOT deleted) STORED,
  during               daterange NOT NULL GENERATED ALWAYS AS (daterange(starts_on, ends_on, '[]')) STORED,
  sort_on              date NOT NULL GENERATED ALWAYS AS (coalesce(starts_on, date '0001-01-01')) STORED,
  sort_toll            int NOT NULL GENERATED ALWAYS AS (coalesce(fatalities_best, -1)) STORED,
  UNIQUE (dataset, source_id),
  CHECK (starts_on <= ends_on)
) WITH (toast_tuple_target = 8160);  -- a row of some 2 kB stays whole: unpacking its feature took a quarter of a large page

COMMENT ON TABLE event IS 'Conflict events, tombstones included.';
COMMENT ON COLUMN event.id IS 'uuid5 of dataset and source_id: the same in every deployment.';
COMMENT ON COLUMN event.source_release IS 'The release of the source from which the present content was taken.';
COMMENT ON COLUMN event.actor1 IS 'The name of the first of actors.';
COMMENT ON COLUMN event.actor2 IS 'The name of the second of actors.';
COMMENT ON COLUMN event.starts_on IS 'The earliest possible local day; NULL: not known.';
COMMENT ON COLUMN event.ends_on IS 'The latest possible local day; NULL: not known, or not over.';
COMMENT ON COLUMN event.geom IS 'The representative point, lon lat.';
COMMENT ON COLUMN event.footprint IS 'The ground it may have happened on; NULL: no more is known than the point.';
COMMENT ON COLUMN event.status IS 'Derived from the stances of reports.';
COMMENT ON COLUMN event.version IS '1, 2, 3 ...: never reset, not even by a deletion.';
COMMENT ON COLUMN event.tx_id IS 'The transaction that wrote this version: feed.tx.';
COMMENT ON COLUMN event.deleted IS 'A tombstone: its content is erased.';
COMMENT ON COLUMN event.ever_public IS 'Whether the public has ever seen it, and so must be told that it is gone.';
COMMENT ON COLUMN event.feature IS 'The finished GeoJSON feature, spliced into answers as it stands.';
COMMENT ON COLUMN event.sort_on IS 'starts_on, with a first day of history for an open start, so that an order is total.';
COMMENT ON COLUMN event.sort_toll IS 'fatalities_best, unknown last.';

CREATE TABLE event_history (LIKE event, superseded_by bigint NOT NULL, PRIMARY KEY (id, version));
COMMENT ON TABLE event_history IS 'Every version of an event that is no longer the present one.';
COMMENT ON COLUMN event_history.superseded_by IS 'The transaction that wrote the next version: feed.tx.';
CREATE INDEX event_history_tx ON event_history (superseded_by);

-- An instant as RFC 3339 in UTC, whatever the session's time zone.
CREATE FUNCTION instant(at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- What the speakers together make of an event: contradiction is disputed, one stance is that stance.
CREATE FUNCTION status_of(reports jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
           WHEN bool_or(stance = 'disputes') THEN 'disputed'
           WHEN bool_or(stance = 'denies') THEN
             CASE WHEN bool_or(stance IN ('confirms', 'claims')) THEN 'disputed' ELSE 'denied' END
           WHEN bool_or(stance = 'confirms') THEN 'confirmed'
           WHEN bool_or(stance = 'claims') THEN 'claimed'
           ELSE 'unverified'
         END
    FROM (SELECT r ->> 'stance' AS stance FROM jsonb_array_elements(reports) AS r) AS said
$$;

-- The GeoJSON feature of a row. Its properties are those of api/schemas.py, in that order; a test compares.
CREATE FUNCTION event_feature(e event) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT '{"type":"Feature","id":"' || e.id || '","geometry":' || coalesce(ST_AsGeoJSON(e.geom, 6), 'null')
      || ',"properties":' || row_to_json(p) || '}'
    FROM (SELECT e.dataset, e.source_id, e.source_release, e.event_type, e.sub_event_type, e.notes, e.tags,
                 e.actors, e.actor1, e.actor2, e.starts_on, e.ends_on, e.date_precision, e.date_phrase,
                 e.place_name, e.country, e.admin1, e.admin2, e.geo_precision, e.uncertainty_km, e.geocoder,
                 e.fatalities_low, e.fatalities_best, e.fatalities_high, e.fatalities_civilians,
                 e.status, e.reports, e.version, instant(e.updated_at) AS updated_at, e.visibility) AS p
$$;

-- Everything of an event that a writer decides, for telling a change from a repetition.
-- Not source_release: an event that a new release repeats unchanged has not changed.
CREATE FUNCTION event_content(e event) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_jsonb(c) FROM (
    SELECT e.event_type, e.sub_event_type, e.notes, e.tags, e.actors, e.starts_on, e.ends_on, e.date_precision,
           e.date_phrase, e.place_name, e.country, e.admin1, e.admin2, e.geo_precision, e.uncertainty_km,
           e.geocoder, e.geom::bytea AS geom, e.footprint::bytea AS footprint, e.fatalities_low,
           e.fatalities_best, e.fatalities_high, e.fatalities_civilians, e.reports, e.visibility, e.deleted) AS c
$$;

CREATE FUNCTION event_stamp() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    IF OLD.deleted AND EXISTS (SELECT 1 FROM feed.tx t, feed.state s
                                WHERE t.tx_id = OLD.tx_id AND t.seq <= s.min_seq) THEN
      RETURN OLD;
    END IF;
    RAISE EXCEPTION 'an event is deleted by event_delete(), which leaves a tombstone' USING ERRCODE = '42501';
  END IF;
  NEW.actor1 := NEW.actors -> 0 ->> 'name';
  NEW.actor2 := NEW.actors -> 1 ->> 'name';
  NEW.status := status_of(NEW.reports);
  IF TG_OP = 'UPDATE' THEN
    IF event_content(NEW) = event_content(OLD) THEN
      RETURN NULL;
    END IF;
    NEW.id := OLD.id;
    NEW.dataset := OLD.dataset;
    NEW.source_id := OLD.source_id;
    NEW.version := OLD.version + 1;
    NEW.ever_public := OLD.ever_public OR (NEW.visibility = 'public' AND NOT NEW.deleted);
  ELSE
    NEW.version := 1;
    NEW.ever_public := NEW.visibility = 'public' AND NOT NEW.deleted;
  END IF;
  NEW.updated_at := transaction_timestamp();
  NEW.tx_id := feed.current_tx();
  NEW.feature := CASE WHEN NOT NEW.deleted THEN event_feature(NEW) END;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO event_history SELECT OLD.*, NEW.tx_id;
  END IF;
  IF NEW.deleted THEN
    DELETE FROM source_row WHERE event_id = NEW.id;  -- a tombstone keeps no content, the source's neither
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER event_stamp BEFORE INSERT OR UPDATE OR DELETE ON event
  FOR EACH ROW EXECUTE FUNCTION event_stamp();

-- What a statement changed for the public. In statements, not rows: a row proposed to ON CONFLICT passes the
-- row trigger without being written.
CREATE FUNCTION event_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  gained bigint;
  lost bigint := 0;
BEGIN
  SELECT count(*) FILTER (WHERE public) INTO gained FROM after_rows;
  IF TG_OP = 'UPDATE' THEN
    SELECT count(*) FILTER (WHERE public) INTO lost FROM before_rows;
  END IF;
  IF gained + lost > 0 THEN
    UPDATE feed.tx SET public = true, delta = delta + gained - lost WHERE tx_id = feed.current_tx();
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER event_account_insert AFTER INSERT ON event REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION event_account();
CREATE TRIGGER event_account_update AFTER UPDATE ON event REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION event_account();

CREATE FUNCTION event_no_truncate() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'event cannot be truncated: its tombstones and history are promised' USING ERRCODE = '42501';
END $$;
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION event_no_truncate();

-- Leave a tombstone: the content is erased, the identity stays. Returns the new version; NULL: there is no
-- such event, or not in that version.
CREATE FUNCTION event_delete(event_id uuid, expected bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE event
     SET deleted = true, sub_event_type = NULL, notes = NULL, tags = '{}', actors = '[]', starts_on = NULL,
         ends_on = NULL, date_precision = NULL, date_phrase = NULL, place_name = NULL, country = NULL,
         admin1 = NULL, admin2 = NULL, geo_precision = NULL, uncertainty_km = NULL, geocoder = NULL, geom = NULL,
         footprint = NULL, fatalities_low = NULL, fatalities_best = NULL, fatalities_high = NULL,
         fatalities_civilians = NULL, reports = '[]'
   WHERE id = event_id AND NOT deleted AND (expected IS NULL OR version = expected)
   RETURNING version
$$;

-- Every order that is offered ends in id, so that it is total and a cursor can name a place in it.
CREATE INDEX event_newest    ON event (sort_on DESC, id DESC) INCLUDE (geom) WHERE public;
CREATE INDEX event_deadliest ON event (sort_toll DESC, id DESC) INCLUDE (geom) WHERE public;
CREATE INDEX event_placeless ON event (sort_on DESC, id DESC)
  INCLUDE (country, admin1, event_type, actor1, actor2, status, dataset) WHERE public AND geom IS NULL;
CREATE INDEX event_place     ON event USING gist (geom, sort_on) WHERE public;
-- The events that last: an interval meets [a, b] if it starts in it, or is one of these and contains the step to a.
CREATE INDEX event_lasting   ON event USING gist (during) INCLUDE (sort_on, id, geom)
  WHERE public AND (starts_on IS NULL OR ends_on IS NULL OR ends_on > starts_on);
CREATE INDEX event_x         ON event (ST_X(geom)) WHERE public;
CREATE INDEX event_y         ON event (ST_Y(geom)) WHERE public;
CREATE INDEX event_end       ON event (upper(during)) WHERE public;
CREATE INDEX event_country   ON event (country, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_admin1    ON event (admin1, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_type_ix   ON event (event_type, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_actor1    ON event (actor1, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_actor2    ON event (actor2, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_status    ON event (status, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_dataset   ON event (dataset, sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_tx        ON event (tx_id, id);
