-- How many events there are in each cell of the map and each month, for tiles of low zooms
-- (docs/decisions/0013-tiles.md). Exact at every committed head: each transaction's changes are added at its end, under the
-- lock under which it draws its number.

-- Where a point is on the square map of Web Mercator: eastwards from 180° W and southwards from its northern edge,
-- in units of 2^-34 of its width, which is 4096 units in a tile of zoom 22. 180° E is the last column's.
CREATE FUNCTION map_x(point geometry) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN point IS NOT NULL THEN
  least(floor((ST_X(point) + 180) / 360 * 17179869184), 17179869183)::bigint END;

-- NULL: beyond the map, which ends where it is as high as wide.
CREATE FUNCTION map_y(point geometry) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN abs(ST_Y(point)) <= 85.05112877980659 THEN
  greatest(0, least(floor((0.5 - asinh(tand(ST_Y(point))) / (2 * pi())) * 17179869184), 17179869183))::bigint END;

-- The bits of column and row (16 each) by turns: what lies in one tile has numbers without a gap, at every zoom.
CREATE FUNCTION map_cell(map_column bigint, map_row bigint) RETURNS int
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  v bigint := map_column | (map_row << 32);
BEGIN
  v := (v | (v << 8)) & x'00FF00FF00FF00FF'::bigint;
  v := (v | (v << 4)) & x'0F0F0F0F0F0F0F0F'::bigint;
  v := (v | (v << 2)) & x'3333333333333333'::bigint;
  v := (v | (v << 1)) & x'5555555555555555'::bigint;
  RETURN (v & x'FFFFFFFF'::bigint) | ((v >> 32) << 1);
END $$;

CREATE TABLE event_cell (
  level           smallint NOT NULL,
  cell            int NOT NULL,
  month           date NOT NULL,
  events          int NOT NULL,
  x               bigint NOT NULL,
  y               bigint NOT NULL,
  fatalities_best bigint NOT NULL,
  PRIMARY KEY (level, cell, month)
) WITH (fillfactor = 80);  -- room for updates that touch no index
COMMENT ON TABLE event_cell IS 'The located public events, counted by cell and month, and by cell.';
COMMENT ON COLUMN event_cell.level IS 'The map is 2^level cells wide; 5, 7, 9, 11 and 13 are kept.';
COMMENT ON COLUMN event_cell.cell IS 'Its column and row: map_cell().';
COMMENT ON COLUMN event_cell.month IS 'The first day of the month of sort_on; -infinity: all months together.';
COMMENT ON COLUMN event_cell.x IS 'The sum of map_x() of its events; it has room for half a milliard.';
COMMENT ON COLUMN event_cell.y IS 'The sum of map_y() of its events.';
COMMENT ON COLUMN event_cell.fatalities_best IS 'The sum of those that are known.';

-- What there is to add to the cells: the net of what a transaction wrote and what that replaced; of NULL, all events.
CREATE FUNCTION event_cell_changes(tx bigint) RETURNS SETOF event_cell
LANGUAGE sql STABLE AS $$
  WITH version AS (
    SELECT geom, sort_on, fatalities_best, 1 AS sign FROM event WHERE tx_id = tx AND public
    UNION ALL
    SELECT geom, sort_on, fatalities_best, -1 FROM event_history
     WHERE superseded_by = tx AND tx_id <> tx AND public
    UNION ALL
    SELECT geom, sort_on, fatalities_best, 1 FROM event WHERE tx IS NULL AND public),
  point AS (
    SELECT map_x(geom) AS x, map_y(geom) AS y, date_trunc('month', sort_on::timestamp)::date AS month, sign,
           coalesce(fatalities_best, 0) AS fatalities_best
      FROM version),
  finest AS MATERIALIZED (
    SELECT map_cell(x >> 21, y >> 21) AS cell, month, sum(sign)::int AS events, sum(sign * x)::bigint AS x,
           sum(sign * y)::bigint AS y, sum(sign * fatalities_best) AS fatalities_best
      FROM point WHERE y IS NOT NULL GROUP BY x >> 21, y >> 21, month)
  SELECT (13 - up)::smallint, cell >> (2 * up), coalesce(month, '-infinity'), sum(events)::int, sum(x)::bigint,
         sum(y)::bigint, sum(fatalities_best)::bigint
    FROM finest CROSS JOIN unnest(ARRAY[0, 2, 4, 6, 8]) AS up
   GROUP BY 1, 2, ROLLUP (month)
  HAVING sum(events) <> 0 OR sum(x) <> 0 OR sum(y) <> 0 OR sum(fatalities_best) <> 0
   ORDER BY 1, 2, 3
$$;

-- Add what a transaction changed. The caller holds the lock of the commit order.
-- Of rows that were just written the planner knows nothing, whether they are one or a million: so there is one plan,
-- in which they are looked up by an index, and read page by page.
CREATE FUNCTION event_cell_add(tx bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_indexscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  emptied record;
BEGIN
  WITH added AS (
    INSERT INTO event_cell AS c SELECT * FROM event_cell_changes(tx)
    ON CONFLICT ON CONSTRAINT event_cell_pkey DO UPDATE
       SET events = c.events + excluded.events, x = c.x + excluded.x, y = c.y + excluded.y,
           fatalities_best = c.fatalities_best + excluded.fatalities_best
    RETURNING c.level, c.cell, c.month, c.events)
  SELECT array_agg(level) AS levels, array_agg(cell) AS cells, array_agg(month) AS months, min(events) AS fewest
    INTO emptied FROM added WHERE events <= 0;
  IF emptied.fewest < 0 THEN
    RAISE EXCEPTION 'event_cell does not have what is now taken away: events were written past their triggers';
  END IF;
  IF emptied.levels IS NOT NULL THEN
    DELETE FROM event_cell AS c USING unnest(emptied.levels, emptied.cells, emptied.months) AS e (level, cell, month)
     WHERE (c.level, c.cell, c.month) = (e.level, e.cell, e.month);
  END IF;
END $$;

CREATE OR REPLACE FUNCTION feed.assign_seq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine feed.tx;
BEGIN
  PERFORM pg_advisory_xact_lock(730546121);
  UPDATE feed.tx SET seq = nextval('feed.commit_seq'), at = clock_timestamp()
   WHERE tx_id = NEW.tx_id RETURNING * INTO mine;
  UPDATE feed.state
     SET head = mine.seq,
         total = total + mine.delta,
         public_head = CASE WHEN mine.public THEN mine.seq ELSE public_head END,
         public_at = CASE WHEN mine.public THEN mine.at ELSE public_at END;
  IF mine.public THEN
    PERFORM public.event_cell_add(mine.tx_id);
  END IF;
  RETURN NULL;
END $$;

-- What is there already. Nobody may be writing meanwhile: his end would not know of the cells yet.
LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO event_cell SELECT * FROM event_cell_changes(NULL);
