-- The grounds that count for a region: the shared ones as the table `touched` of a WITH, and the test of a walk.
-- Values are bound.

-- name: possible
-- The shared grounds on which something may have happened in the region. Two areas that share but a line do
-- not count, so one has to reach a little into the other; a border is in both of its countries.
touched AS MATERIALIZED (
  SELECT DISTINCT p.ground AS id FROM ground_piece AS p
   WHERE p.geom && %(outer)s::geometry
     AND CASE WHEN p.is_line THEN ST_Intersects(p.geom, %(outer)s::geometry)
              ELSE ST_Intersects(p.geom, %(inner)s::geometry) END)

-- name: certain
-- The shared grounds that lie in the region; a border of it does not.
touched AS MATERIALIZED (
  SELECT g.id FROM ground AS g
   WHERE g.geom @ %(outer)s::geometry
     AND CASE WHEN g.is_line THEN ST_Within(g.geom, %(inner)s::geometry)
              ELSE %(rectangle)s OR ST_Within(g.geom, %(outer)s::geometry) END)

-- name: walked
-- Whether the ground of a walked event counts, told by the index of the walk alone where that can be.
CASE WHEN e.ground IS NOT NULL THEN e.ground IN (SELECT id FROM touched)
     WHEN e.geom IS NULL THEN {placeless}
     WHEN NOT ({near}) THEN false
     WHEN e.reach > 0 AND {surely} THEN true
     ELSE (SELECT {exactly} FROM event AS f WHERE f.id = e.id) END
