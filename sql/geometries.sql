-- How a geometry is written into a feature. {geometry} is filled by api/geometries.py; values are bound.

-- name: none
-- What stands for a geometry that is not asked for.
'null'

-- name: stored
-- In longitude and latitude, as it is stored.
coalesce(ST_AsGeoJSON({geometry}, 6), 'null')

-- name: transformed
-- In another reference system, in the order of its axes. What lies where the system is not defined is cut off first,
-- for ST_Transform would fail there or give nonsense, and the feature says so in a member behind its geometry. Long
-- edges get corners: what is straight in degrees is not so in metres. OFFSET 0: nothing is to be worked out twice.
(SELECT CASE WHEN ST_IsEmpty(t.geom) THEN 'null,"outside_crs":"wholly"'
        ELSE coalesce(ST_AsGeoJSON(CASE WHEN %(north_first)s THEN ST_FlipCoordinates(t.geom) ELSE t.geom END,
                                   %(digits)s::int, 0), 'null')
             || CASE WHEN t.inside THEN '' ELSE ',"outside_crs":"partly"' END END
   FROM (SELECT k.inside, ST_Transform(ST_Segmentize(k.geom, %(longest)s::float8), %(srid)s::int) AS geom
           FROM (SELECT i.inside, CASE WHEN i.inside THEN i.geom
                        ELSE ST_ForcePolygonCCW(ST_CollectionExtract(
                               ST_ClipByBox2D(i.geom, %(domain)s::geometry::box2d), ST_Dimension(i.geom) + 1)) END AS geom
                   FROM (SELECT g.geom, coalesce(g.geom @ %(domain)s::geometry, true) AS inside
                           FROM (SELECT {geometry} AS geom OFFSET 0) AS g OFFSET 0) AS i OFFSET 0) AS k OFFSET 0) AS t)
