-- Tiles of events. {holes} are filled by api/tiles.py; values are bound. A tile is one statement, so that it and its head come
-- from one snapshot. What ST_AsMVT takes is MATERIALIZED: pushed down to elsewhere it may lose the names of its columns.
-- Places are places on the map, map_x() and map_y(): whole numbers whose upper bits are the tile's.

-- name: answer
-- The head, how many features there are, and the tile; no tile: there are too many.
SELECT s.epoch::text, {head}, {total}, coalesce(g.version, ''), {mark}, {withheld}, t.features, t.tile
  FROM feed.state AS s LEFT JOIN gazetteer AS g ON true CROSS JOIN drawn AS t

-- name: single
-- Each event by itself, in the order of time, so that the newest is drawn last.
WITH {touched}found AS MATERIALIZED (
  SELECT map_x(e.geom) AS x, map_y(e.geom) AS y, e.sort_on, e.id::text AS id{properties}
    FROM {event} AS e WHERE {where} LIMIT %(most)s + 1),
counted AS MATERIALIZED (SELECT count(*) AS features FROM found),
feature AS MATERIALIZED (
  SELECT ST_Point((x >> %(step)s) & 4095, (y >> %(step)s) & 4095) AS geom, id{names}
    FROM found ORDER BY found.sort_on, id),
drawn AS (
  SELECT features, CASE WHEN features <= %(most)s THEN (SELECT ST_AsMVT(f, 'events', 4096, 'geom') FROM feature AS f) END AS tile
    FROM counted)
{answer}

-- name: clusters
-- Events put together by cell, at the mean of their places; the largest is drawn last.
WITH {touched}part AS ({parts}),
cluster AS MATERIALIZED (
  SELECT sum(n)::bigint AS n, sum(x)::bigint AS x, sum(y)::bigint AS y, sum(fatalities_best)::bigint AS fatalities_best
    FROM part GROUP BY (x / n) >> %(cell)s, (y / n) >> %(cell)s),
feature AS MATERIALIZED (
  SELECT ST_Point((x / n) >> %(step)s & 4095, (y / n) >> %(step)s & 4095) AS geom, n AS point_count, fatalities_best
    FROM cluster ORDER BY n, x, y),
drawn AS (SELECT count(*) AS features, ST_AsMVT(f, 'events', 4096, 'geom') AS tile FROM feature AS f)
{answer}

-- name: of_event
-- Events as they stand in the table.
(SELECT map_x(e.geom) AS x, map_y(e.geom) AS y, 1 AS n, coalesce(e.fatalities_best, 0) AS fatalities_best
   FROM {event} AS e WHERE {where})

-- name: of_cells
-- Events that have been counted, of whole months.
(SELECT c.x, c.y, c.events AS n, c.fatalities_best FROM event_cell AS c
  WHERE c.level = %(level)s AND c.cell BETWEEN %(first_cell)s AND %(last_cell)s
    AND {months})

-- name: all_months
c.month = '-infinity'

-- name: some_months
c.month BETWEEN %(first_month)s AND %(last_month)s AND c.month > '-infinity'

-- name: beside
UNION ALL

-- name: within_tile
-- The test that an event is in the tile, first by the index.
e.geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4326)
  AND map_x(e.geom) >> %(shift)s = %(column)s AND map_y(e.geom) >> %(shift)s = %(row)s

-- name: on_map
-- The same for the one tile that has all: no index should be taken for that.
map_y(e.geom) IS NOT NULL

-- name: at_edge
-- The test that an event starts on the days at an edge of the period.
e.sort_on BETWEEN {first} AND {last}
