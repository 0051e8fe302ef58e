-- What is asked of a GeoPackage, which is a database of SQLite.

-- name: stamp
-- When its layers were last changed.
UPDATE gpkg_contents SET last_change = ?
