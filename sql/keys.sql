-- Keys: api/keys.py. Values are bound.

-- name: create
-- A new key.
INSERT INTO api_key (name, prefix, hash, scopes, expires_at)
VALUES (%(name)s, %(prefix)s, %(hash)s, %(scopes)s, %(expires_at)s)
RETURNING id, name, prefix, scopes, created_at, expires_at, revoked_at

-- name: all
-- Every key, the newest first.
SELECT id, name, prefix, scopes, created_at, expires_at, revoked_at FROM api_key ORDER BY created_at DESC, id

-- name: named
-- The keys of that name or prefix that are not revoked.
SELECT id, name, prefix, scopes, created_at, expires_at, revoked_at
  FROM api_key WHERE %(which)s IN (name, prefix) AND revoked_at IS NULL FOR UPDATE

-- name: revoke
-- From now on it is none.
UPDATE api_key SET revoked_at = clock_timestamp() WHERE id = %(id)s
RETURNING id, name, prefix, scopes, created_at, expires_at, revoked_at

-- name: owner
-- What a key that begins so may do, as long as it is one.
SELECT id, name, hash, scopes FROM api_key
 WHERE prefix = %(prefix)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())

-- name: audit
-- What was done to a key.
INSERT INTO audit (action, subject, old, new) VALUES (%(action)s, %(subject)s, %(old)s, %(new)s)
