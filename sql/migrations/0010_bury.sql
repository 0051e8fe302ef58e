-- Many events are deleted by one statement. A call for each made the account of what the public sees a statement each, and each of
-- these writes a version of the transaction's row in feed.tx, past which every later call has to look: quadratic.

-- Leave tombstones: the content is erased, the identity stays. Returns the events that were there and their new versions;
-- `expected`: of those that are in that version.
-- It has a name of its own: with two functions event_delete() no text could be told to be an id, or many.
CREATE FUNCTION events_delete(ids uuid[], expected bigint DEFAULT NULL) RETURNS TABLE (event_id uuid, made bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  UPDATE event
     SET deleted = true, sub_event_type = NULL, notes = NULL, tags = '{}', actors = '[]', starts_on = NULL,
         ends_on = NULL, date_precision = NULL, date_phrase = NULL, place_name = NULL, country = NULL,
         admin1 = NULL, admin2 = NULL, geo_precision = NULL, uncertainty_km = NULL, geocoder = NULL, geom = NULL,
         footprint = NULL, ground = NULL, fatalities_low = NULL, fatalities_best = NULL, fatalities_high = NULL,
         fatalities_civilians = NULL, reports = '[]'
   WHERE id = ANY (ids) AND NOT deleted AND (expected IS NULL OR version = expected)
   RETURNING id, version
$$;

-- Leave the tombstone of one event. Returns the new version; NULL: there is no such event, or not in that version.
CREATE OR REPLACE FUNCTION event_delete(event_id uuid, expected bigint DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT made FROM events_delete(ARRAY[event_id], expected)
$$;
