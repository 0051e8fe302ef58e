-- Whose eyes, and as of when: what the public could see at a head, what it has been told since, and what only a key may see
-- (docs/decisions/0014-sight.md).

-- What happened to the head of a database that was restored or promoted: up to where an older epoch's numbers still hold.
CREATE TABLE feed.epoch (
  epoch uuid PRIMARY KEY,
  until bigint NOT NULL
);
COMMENT ON TABLE feed.epoch IS 'The epochs before the present one.';
COMMENT ON COLUMN feed.epoch.until IS 'The last head of that epoch whose data is still here.';

CREATE OR REPLACE FUNCTION feed.check_epoch() RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here record;
  known feed.state;
BEGIN
  SELECT system_identifier AS system_id,
         ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline
    INTO here FROM pg_control_system();
  SELECT * INTO known FROM feed.state;
  IF (known.system_id, known.timeline) IS DISTINCT FROM (here.system_id, here.timeline) THEN
    UPDATE feed.epoch SET until = least(until, known.head);
    INSERT INTO feed.epoch VALUES (known.epoch, known.head);
    UPDATE feed.state
       SET epoch = gen_random_uuid(), system_id = here.system_id, timeline = here.timeline
     RETURNING * INTO known;
  END IF;
  RETURN known.epoch;
END $$;

ALTER TABLE feed.state ADD COLUMN withheld_head bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN feed.state.withheld_head IS
  'The last number whose transaction took something away from the past that the public may ask for, or gave it back.';

ALTER TABLE feed.tx
  ADD COLUMN withholds   boolean NOT NULL DEFAULT false,
  ADD COLUMN total       bigint NOT NULL DEFAULT 0,
  ADD COLUMN live        int NOT NULL DEFAULT 0,
  ADD COLUMN live_public int NOT NULL DEFAULT 0;
COMMENT ON COLUMN feed.tx.withholds IS 'Whether it restricted or erased what the public had seen, or published it again.';
COMMENT ON COLUMN feed.tx.total IS 'How many events the public could see behind it.';
COMMENT ON COLUMN feed.tx.live IS 'How many events are still as it left them; the feed passes over transactions with none.';
COMMENT ON COLUMN feed.tx.live_public IS 'How many events the public still sees, or misses, as it left them.';

ALTER TABLE event
  ADD COLUMN erased    boolean NOT NULL DEFAULT false,
  ADD COLUMN public_tx bigint,
  ADD COLUMN hidden    boolean NOT NULL GENERATED ALWAYS AS (visibility = 'restricted' AND NOT deleted) STORED,
  ADD COLUMN withheld  boolean NOT NULL GENERATED ALWAYS AS (ever_public AND visibility = 'restricted') STORED;
COMMENT ON COLUMN event.erased IS 'A tombstone whose earlier versions are erased as well.';
COMMENT ON COLUMN event.public_tx IS 'The transaction of the last change that the public could see: feed.tx; NULL: none.';
COMMENT ON COLUMN event.hidden IS 'Whether it is there for those alone who may see what is restricted.';
COMMENT ON COLUMN event.withheld IS 'Whether the public has seen it and may do so no more, not even as it was.';

-- Its columns are those of event, in their order, and then superseded_by.
ALTER TABLE event_history
  ADD COLUMN erased boolean NOT NULL DEFAULT false, ADD COLUMN public_tx bigint,
  ADD COLUMN hidden boolean NOT NULL DEFAULT false, ADD COLUMN withheld boolean NOT NULL DEFAULT false;
ALTER TABLE event_history RENAME COLUMN superseded_by TO superseded_by_before;
ALTER TABLE event_history ADD COLUMN superseded_by bigint;
UPDATE event_history
   SET superseded_by = superseded_by_before, hidden = visibility = 'restricted' AND NOT deleted;
ALTER TABLE event_history ALTER COLUMN superseded_by SET NOT NULL, DROP COLUMN superseded_by_before;
COMMENT ON COLUMN event_history.superseded_by IS 'The transaction that wrote the next version: feed.tx.';
COMMENT ON COLUMN event_history.erased IS 'Its content has been erased; only that there was such a version is left.';
CREATE INDEX event_history_tx     ON event_history (superseded_by);
CREATE INDEX event_history_newest ON event_history (sort_on DESC, id DESC) WHERE public;
CREATE INDEX event_history_place  ON event_history USING gist (geom, sort_on) WHERE public;
CREATE INDEX event_history_erased ON event_history (id) WHERE erased;

ALTER TABLE event DISABLE TRIGGER event_stamp;
ALTER TABLE event DISABLE TRIGGER event_account_update;
UPDATE event AS e
   SET public_tx = CASE WHEN e.public THEN e.tx_id ELSE
         (SELECT h.superseded_by FROM event_history AS h WHERE h.id = e.id AND h.public ORDER BY h.version DESC LIMIT 1) END
 WHERE ever_public;
ALTER TABLE event ENABLE TRIGGER event_stamp;
ALTER TABLE event ENABLE TRIGGER event_account_update;

UPDATE feed.tx AS t
   SET total = s.total, live = s.live, live_public = s.live_public
  FROM (SELECT x.tx_id, sum(x.delta) OVER (ORDER BY x.seq) AS total,
               (SELECT count(*) FROM event AS e WHERE e.tx_id = x.tx_id) AS live,
               (SELECT count(*) FROM event AS e WHERE e.public_tx = x.tx_id) AS live_public
          FROM feed.tx AS x) AS s
 WHERE s.tx_id = t.tx_id;
CREATE INDEX tx_live        ON feed.tx (seq) WHERE live > 0;
CREATE INDEX tx_live_public ON feed.tx (seq) WHERE live_public > 0;
CREATE INDEX tx_at          ON feed.tx (at, seq);

-- Every version that there is or was, of every event.
CREATE VIEW event_version AS
  SELECT e.*, NULL::bigint AS superseded_by FROM event AS e UNION ALL SELECT * FROM event_history;

-- Where an event really was whose point is blurred: apart from the row that everybody is served from. It has no history.
CREATE TABLE event_exact (
  event_id uuid PRIMARY KEY,
  geom     geometry(Point, 4326) NOT NULL CHECK (
             NOT ST_IsEmpty(geom) AND ST_X(geom) BETWEEN -180 AND 180 AND ST_Y(geom) BETWEEN -90 AND 90),
  tx_id    bigint NOT NULL
);
COMMENT ON TABLE event_exact IS 'The exact places of events whose public point is blurred; for those alone who may see what is restricted.';

CREATE FUNCTION event_exact_stamp() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM feed.current_tx();
    RETURN OLD;
  END IF;
  NEW.tx_id := feed.current_tx();
  RETURN NEW;
END $$;
CREATE TRIGGER event_exact_stamp BEFORE INSERT OR UPDATE OR DELETE ON event_exact
  FOR EACH ROW EXECUTE FUNCTION event_exact_stamp();

CREATE OR REPLACE FUNCTION event_content(e event) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_jsonb(c) FROM (
    SELECT e.event_type, e.sub_event_type, e.notes, e.tags, e.actors, e.starts_on, e.ends_on, e.date_precision,
           e.date_phrase, e.place_name, e.country, e.admin1, e.admin2, e.geo_precision, e.uncertainty_km,
           e.geocoder, e.geom::bytea AS geom, e.footprint::bytea AS footprint, e.ground, e.fatalities_low,
           e.fatalities_best, e.fatalities_high, e.fatalities_civilians, e.reports, e.visibility, e.deleted, e.erased) AS c
$$;

CREATE OR REPLACE FUNCTION event_stamp() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  is_public boolean := NEW.visibility = 'public' AND NOT NEW.deleted;
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
  NEW.erased := NEW.erased AND NEW.deleted;
  IF TG_OP = 'UPDATE' THEN
    IF event_content(NEW) = event_content(OLD) THEN
      RETURN NULL;
    END IF;
    NEW.id := OLD.id;
    NEW.dataset := OLD.dataset;
    NEW.source_id := OLD.source_id;
    NEW.version := OLD.version + 1;
    NEW.ever_public := OLD.ever_public OR is_public;
  ELSE
    NEW.version := 1;
    NEW.ever_public := is_public;
  END IF;
  NEW.updated_at := transaction_timestamp();
  NEW.tx_id := feed.current_tx();
  NEW.public_tx := CASE WHEN is_public OR TG_OP = 'UPDATE' AND OLD.public THEN NEW.tx_id
                        WHEN TG_OP = 'UPDATE' THEN OLD.public_tx END;
  NEW.feature := CASE WHEN NOT NEW.deleted THEN event_feature(NEW) END;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO event_history SELECT OLD.*, NEW.tx_id;
  END IF;
  IF NEW.deleted THEN  -- a tombstone keeps no content, the source's neither
    DELETE FROM source_row WHERE event_id = NEW.id;
    DELETE FROM event_exact WHERE event_id = NEW.id;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION event_account() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  gained bigint;
  lost bigint := 0;
  kept_back numeric;
  kept_back_before numeric;
  takes boolean := false;
BEGIN
  -- Which events are kept back is compared by a sum over their ids: a join of the two tables would be planned once, for the
  -- first statement of a session, and hold for a million rows as well.
  SELECT count(*) FILTER (WHERE public),
         sum(uuid_hash_extended(id, 1) - uuid_hash_extended(id, 2)::numeric * erased::int)
           FILTER (WHERE ever_public AND (withheld OR erased))
    INTO gained, kept_back FROM after_rows;
  IF TG_OP = 'UPDATE' THEN
    SELECT count(*) FILTER (WHERE public),
           sum(uuid_hash_extended(id, 1) - uuid_hash_extended(id, 2)::numeric * erased::int)
             FILTER (WHERE ever_public AND (withheld OR erased))
      INTO lost, kept_back_before FROM before_rows;
    takes := kept_back IS DISTINCT FROM kept_back_before;
  END IF;
  IF gained + lost > 0 OR takes THEN
    UPDATE feed.tx
       SET public = public OR gained + lost > 0, delta = delta + gained - lost, withholds = withholds OR takes
     WHERE tx_id = feed.current_tx();
  END IF;
  RETURN NULL;
END $$;

-- Erase an event with all that it ever was. Only that there were versions is left, and whether the public saw them, so that
-- who asks for the past is told that something is missing. Returns the new version; NULL: there is no such event.
CREATE FUNCTION event_erase(event_id uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  made bigint;
BEGIN
  PERFORM event_delete(event_id);
  UPDATE event SET erased = true WHERE id = event_id AND NOT erased;
  SELECT version INTO made FROM event WHERE id = event_id;
  UPDATE event_history
     SET erased = true, sub_event_type = NULL, notes = NULL, tags = '{}', actors = '[]', actor1 = NULL, actor2 = NULL,
         starts_on = NULL, ends_on = NULL, date_precision = NULL, date_phrase = NULL, place_name = NULL, country = NULL,
         admin1 = NULL, admin2 = NULL, geo_precision = NULL, uncertainty_km = NULL, geocoder = NULL, geom = NULL,
         footprint = NULL, ground = NULL, reach = 0, fatalities_low = NULL, fatalities_best = NULL,
         fatalities_high = NULL, fatalities_civilians = NULL, reports = '[]', feature = NULL, during = 'empty',
         sort_on = '0001-01-01', sort_toll = -1
   WHERE id = event_id AND NOT erased;
  RETURN made;
END $$;

-- How many events are left as a transaction made them, those that it took over from others no longer counted there.
-- The caller holds the lock of the commit order. One plan for one row and for a million, as in event_cell_add().
CREATE FUNCTION feed.take_over(tx bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  UPDATE feed.tx AS t
     SET live = (SELECT count(*) FROM event AS e WHERE e.tx_id = tx),
         live_public = (SELECT count(*) FROM event AS e WHERE e.public_tx = tx)
   WHERE t.tx_id = tx;
  WITH before AS MATERIALIZED (
    SELECT h.tx_id, h.public_tx, e.public_tx = tx AS told
      FROM event_history AS h JOIN event AS e ON e.id = h.id
     WHERE h.superseded_by = tx AND h.tx_id <> tx),
  left_behind AS (
    SELECT tx_id, 1 AS live, 0 AS live_public FROM before
    UNION ALL SELECT public_tx, 0, 1 FROM before WHERE told AND public_tx IS NOT NULL),
  taken AS (SELECT tx_id, sum(live) AS live, sum(live_public) AS live_public FROM left_behind GROUP BY tx_id)
  UPDATE feed.tx AS t SET live = t.live - o.live, live_public = t.live_public - o.live_public
    FROM taken AS o WHERE o.tx_id = t.tx_id;
END $$;

CREATE OR REPLACE FUNCTION feed.assign_seq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine feed.tx;
  settled feed.state;
  number bigint;
  moment timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(730546121);
  number := nextval('feed.commit_seq');
  SELECT * INTO mine FROM feed.tx WHERE tx_id = NEW.tx_id;
  -- Instants follow the numbers, even when the clock is set back.
  SELECT greatest(clock_timestamp(), public_at) INTO moment FROM feed.state;
  UPDATE feed.state
     SET head = number,
         total = total + mine.delta,
         public_head = CASE WHEN mine.public THEN number ELSE public_head END,
         public_at = CASE WHEN mine.public THEN moment ELSE public_at END,
         withheld_head = CASE WHEN mine.withholds THEN number ELSE withheld_head END
   RETURNING * INTO settled;
  UPDATE feed.tx SET seq = number, at = moment, total = settled.total WHERE tx_id = mine.tx_id;
  PERFORM feed.take_over(mine.tx_id);
  IF mine.public THEN
    PERFORM public.event_cell_add(mine.tx_id);
  END IF;
  RETURN NULL;
END $$;

CREATE INDEX event_public_tx ON event (public_tx, id) WHERE public_tx IS NOT NULL;
CREATE INDEX event_withheld  ON event (id) WHERE withheld;
-- What is restricted, for those who may see it: a page has the one and the other, each by an index of its own.
CREATE INDEX hidden_newest     ON event (sort_on DESC, id DESC) WHERE hidden;
CREATE INDEX hidden_deadliest  ON event (sort_toll DESC, id DESC) WHERE hidden;
CREATE INDEX hidden_place      ON event USING gist (geom, sort_on) WHERE hidden;
CREATE INDEX hidden_lasting    ON event USING gist (during) WHERE hidden AND (starts_on IS NULL OR ends_on IS NULL OR ends_on > starts_on);
CREATE INDEX hidden_placeless  ON event (sort_on DESC, id DESC) WHERE hidden AND geom IS NULL;
CREATE INDEX hidden_country    ON event (country, sort_on DESC, id DESC) WHERE hidden;
CREATE INDEX hidden_ground     ON event (ground, sort_on DESC, id DESC) WHERE hidden AND ground IS NOT NULL;
CREATE INDEX hidden_own_ground ON event USING gist ((coalesce(footprint, geom)), sort_on) WHERE hidden AND ground IS NULL;
