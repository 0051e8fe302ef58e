-- Reads of events. {holes} are filled by api/page.py from its tables of fragments; values are bound.
-- An answer of many features is one statement, so that features and head come from one snapshot: its
-- first row is a JSON header, each further row the finished text of a feature.

-- name: projected
-- A feature with some of its properties, in their order.
'{{"type":"Feature","id":"' || e.id || '","geometry":' || {geometry}
  || ',"properties":' || (SELECT row_to_json(p) FROM (SELECT {columns}) AS p) || '}}'

-- name: point
-- The representative point.
e.geom

-- name: footprint
-- The ground it may have happened on: shared, its own or, if no more is known, the point.
coalesce((SELECT g.geom FROM ground AS g WHERE g.id = e.ground), ST_ForcePolygonCCW(e.footprint), e.geom)

-- name: exact
-- Where it really was, if its point is blurred.
coalesce((SELECT x.geom FROM event_exact AS x WHERE x.event_id = e.id), e.geom)

-- name: straight
-- A page that is a stretch of one index: its last key is found by an index-only scan beforehand.
WITH edge AS MATERIALIZED (
  SELECT e.{key} AS key, e.id FROM {event} AS e WHERE {where}
   ORDER BY e.{key} {direction}, e.id {direction} OFFSET %(limit)s - 1 LIMIT 2)
SELECT json_build_object(
         'epoch', s.epoch, 'head', {head}, 'total', {total}, 'mark', {mark}, 'withheld', {withheld}, 'enough', true,
         'more', (SELECT count(*) FROM edge) = 2,
         'last', (SELECT json_build_array(key, id) FROM edge ORDER BY key {direction}, id {direction} LIMIT 1))::text
  FROM feed.state AS s
UNION ALL
(SELECT {feature} FROM {event} AS e WHERE {where}
  ORDER BY e.{key} {direction}, e.id {direction} LIMIT %(limit)s)

-- name: chosen
-- A page whose keys are gathered first, from however many places they stand in.
WITH {touched}{candidates},
found AS MATERIALIZED (
  SELECT {distinct} key, id FROM candidate ORDER BY key {direction}, id {direction} LIMIT %(limit)s + 1),
verdict AS MATERIALIZED (SELECT {enough} AS enough, {matched} AS matched)
SELECT json_build_object(
         'epoch', s.epoch, 'head', {head}, 'total', {total}, 'mark', {mark}, 'withheld', {withheld}, 'enough', v.enough, 'matched', v.matched,
         'more', (SELECT count(*) FROM found) > %(limit)s,
         'last', (SELECT json_build_array(key, id) FROM found
                   ORDER BY key {direction}, id {direction} OFFSET %(limit)s - 1 LIMIT 1))::text
  FROM feed.state AS s, verdict AS v
UNION ALL
SELECT (SELECT {feature} FROM {event} AS e WHERE e.id = f.id{then})
  FROM (SELECT id FROM found WHERE (SELECT enough FROM verdict)
         ORDER BY key {direction}, id {direction} LIMIT %(limit)s) AS f

-- name: walked
-- The next events in the order asked for, each tested; `reach` bounds how far to look.
walked AS MATERIALIZED (
  SELECT e.{key} AS key, e.id, ({test}) AS hit FROM {event} AS e WHERE {where}
   ORDER BY e.{key} {direction}, e.id {direction} LIMIT %(reach)s),
candidate AS (SELECT key, id FROM walked WHERE hit {lasting})

-- name: walked_in_box
-- The same in a box: its events by their distance from a far day, and days taken whole.
walked AS MATERIALIZED (
  SELECT e.sort_on AS key, e.id, ({test}) AS hit FROM {event} AS e WHERE {where}
   ORDER BY e.sort_on <-> {far} FETCH FIRST (%(reach)s) ROWS WITH TIES),
candidate AS (SELECT key, id FROM walked WHERE hit UNION ALL {placeless} {lasting})

-- name: walked_to_end
-- In descending order what lasts stands behind everything that starts: it counts only if the walk got there.
UNION ALL SELECT key, id FROM {lasting} AS l WHERE (SELECT count(*) FROM walked) < %(reach)s

-- name: walked_from_start
-- In ascending order it stands before everything.
UNION ALL {lasting}

-- name: walk_enough
-- Whether the walk has settled the page: it came to the end, or found a page and one.
((SELECT count(*) FROM walked) < %(reach)s OR (SELECT count(*) FROM walked WHERE hit) > %(limit)s)

-- name: walk_matched
-- How many events there are in all, where the walk has seen them all.
CASE WHEN (SELECT count(*) FROM walked) < %(reach)s THEN (SELECT count(*) FROM candidate) END

-- name: gathered
-- Candidates of several places. They are made before they are sorted: left to do both at once, the planner
-- may walk the order, however rare candidates are in it.
candidate AS MATERIALIZED ({parts})

-- name: gathered_to_end
-- What lasts, in descending order, stands behind everything that starts: it counts only if there is room.
gathered AS MATERIALIZED ({parts}),
candidate AS (
  SELECT key, id FROM gathered
  UNION ALL SELECT key, id FROM {lasting} AS l WHERE (SELECT count(*) FROM gathered) <= %(limit)s)

-- name: in_order
-- Events in the order asked for, by whichever index serves the filters.
(SELECT e.{key} AS key, e.id FROM {event} AS e WHERE {where}
  ORDER BY e.{key} {direction}, e.id {direction} LIMIT %(limit)s + 1)

-- name: by_nearness
-- Events in a box, by date: the R-tree of place and date walked by its distance from a far day, and days
-- taken whole, so that the order by id within a day can be made outside.
(SELECT n.key, n.id FROM (
   SELECT e.sort_on AS key, e.id FROM {event} AS e WHERE {where}
    ORDER BY e.sort_on <-> {far} FETCH FIRST (%(limit)s + 1) ROWS WITH TIES) AS n)

-- name: by_ground
-- Events that share a ground, the first in order of each ground that counts.
(SELECT n.key, n.id FROM touched AS t CROSS JOIN LATERAL (
   SELECT e.{key} AS key, e.id FROM {event} AS e WHERE e.ground = t.id AND {where}
    ORDER BY e.{key} {direction}, e.id {direction} LIMIT %(limit)s + 1) AS n)

-- name: at_once
-- Every event that the conditions leave, to be sorted outside: for few, and for orders that no index knows.
(SELECT e.{key} AS key, e.id FROM {event} AS e WHERE {where})

-- name: whole
-- Everything that the conditions leave, for a file: the keys first, so that their number stands in the header and
-- what is sorted is small.
WITH {touched}found AS MATERIALIZED (SELECT e.{key} AS key, e.id FROM {event} AS e WHERE {where})
SELECT json_build_object(
         'epoch', s.epoch, 'head', {head}, 'total', {total}, 'mark', {mark}, 'withheld', {withheld}, 'more', false, 'last', NULL,
         'number', (SELECT count(*) FROM found))::text
  FROM feed.state AS s
UNION ALL
SELECT (SELECT {feature} FROM {event} AS e WHERE e.id = f.id{then})
  FROM (SELECT id FROM found ORDER BY key {direction}, id {direction}) AS f

-- name: patience
-- How long a file may take; also its end, when all has been read and is not yet written.
SELECT set_config('statement_timeout', %(patience)s, true),
       set_config('idle_in_transaction_session_timeout', %(patience)s, true)

-- name: count
-- How many events the filters leave, exactly, with the head it was counted at.
WITH {touched}counted AS (SELECT count(*) AS number FROM {event} AS e WHERE {where})
SELECT s.epoch::text, {head}, {mark}, {withheld}, c.number FROM feed.state AS s, counted AS c

-- name: one
-- One event, with what its entity tag is made of, and the head at which it became what it is.
SELECT s.epoch::text, e.tx_id, e.version, {exact}, t.seq, {feature}
  FROM feed.state AS s, {event} AS e JOIN feed.tx AS t ON t.tx_id = e.tx_id
 WHERE e.id = %(id)s AND {seen}

-- name: exact_tx
-- The transaction that wrote where an event really was: that has no versions, but for those who may see it.
(SELECT x.tx_id FROM event_exact AS x WHERE x.event_id = e.id)

-- name: tombstone
-- Whether an event that the public once saw is gone.
SELECT true FROM event AS e WHERE e.id = %(id)s AND e.ever_public AND NOT e.public

-- name: extent
-- The bounds of what the public sees; each side is one look-up in an index.
SELECT (SELECT min(ST_X(geom)) FROM event WHERE public),
       (SELECT min(ST_Y(geom)) FROM event WHERE public),
       (SELECT max(ST_X(geom)) FROM event WHERE public),
       (SELECT max(ST_Y(geom)) FROM event WHERE public),
       (SELECT sort_on FROM event WHERE public AND sort_on > date '0001-01-01' ORDER BY sort_on, id LIMIT 1),
       (SELECT upper(during) - 1 FROM event WHERE public AND upper(during) IS NOT NULL ORDER BY upper(during) DESC LIMIT 1)

-- name: taken
-- Whether an event was there at a past head, and may not be shown any more.
SELECT true FROM event_history AS e
 WHERE e.id = %(id)s AND e.public AND {then} AND (e.erased OR e.id IN (SELECT w.id FROM event AS w WHERE w.withheld))
