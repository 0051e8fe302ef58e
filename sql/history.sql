-- The versions of one event. Values are bound.

-- name: versions
-- The newest versions up to one, newest first: what wrote each, and what it was. Of a place that is no property there is a digest.
SELECT e.version, t.seq, instant(t.at), t.actor, i.format, i.release, e.public, e.hidden, e.deleted, e.erased, e.feature,
       md5(concat_ws('/', e.ground, ST_AsEWKB(e.footprint)))
  FROM event_version AS e JOIN feed.tx AS t ON t.tx_id = e.tx_id LEFT JOIN import AS i ON i.id = t.import_id
 WHERE e.id = %(id)s AND e.version <= %(newest)s
 ORDER BY e.version DESC LIMIT %(limit)s

-- name: known
-- Whether the public may know of the event at all, and of what it was.
SELECT e.ever_public, e.withheld FROM event AS e WHERE e.id = %(id)s
