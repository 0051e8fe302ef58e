-- Imports that were sent over HTTP: api/jobs/. Values are bound.

-- name: begin
-- A job whose files are to come.
INSERT INTO import_job (api_key, format, options) VALUES (%(api_key)s, %(format)s, %(options)s) RETURNING id

-- name: file
-- A file of it, of which no byte is there yet.
INSERT INTO import_file (job, number, role, name) VALUES (%(job)s, %(number)s, %(role)s, %(name)s)

-- name: piece
-- The next bytes of a file.
INSERT INTO import_piece (job, file, number, data) VALUES (%(job)s, %(file)s, %(number)s, %(data)s)

-- name: whole
-- All bytes of a file are there; now it is known for what.
UPDATE import_file SET size = %(size)s, role = %(role)s WHERE job = %(job)s AND number = %(number)s

-- name: accept
-- All of its files are there.
UPDATE import_job SET status = 'accepted', message = 'Waiting for its turn.', updated = clock_timestamp() WHERE id = %(job)s

-- name: drop
-- It does not come about.
DELETE FROM import_job WHERE id = %(job)s

-- name: job
-- What there is to know of a job.
SELECT j.id, j.number, k.name AS actor, j.format, j.options, j.status, j.message, j.progress, j.tries,
       j.created, j.started, j.finished, j.updated, j.account, j.faults,
       k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > clock_timestamp()) AS valid
  FROM import_job AS j JOIN api_key AS k ON k.id = j.api_key

-- name: one
-- A job, for the key that sent it, or for anybody.
{job}
 WHERE j.id = %(job)s AND j.status <> 'arriving' AND (%(api_key)s::uuid IS NULL OR j.api_key = %(api_key)s)

-- name: some
-- The jobs of a key, or of all, the newest first.
{job}
 WHERE j.status <> 'arriving' AND (%(api_key)s::uuid IS NULL OR j.api_key = %(api_key)s)
   AND (%(before)s::bigint IS NULL OR j.number < %(before)s)
 ORDER BY j.number DESC LIMIT %(limit)s

-- name: files
-- The files of a job, in their order.
SELECT number, role, name, size FROM import_file WHERE job = %(job)s ORDER BY number

-- name: piece_at
-- The bytes at a place of a file.
SELECT data FROM import_piece WHERE job = %(job)s AND file = %(file)s AND number = %(number)s

-- name: lock
-- There is one attendant of a database, which has this name; another waits until that has gone.
SELECT epoch::text, pg_advisory_lock(730546125) FROM feed.state

-- name: take
-- The oldest job that is not done. One that was begun is so no more, for its attendant has gone. If it is called off meanwhile there is
-- none: the test stands outside too, where it is made again after a wait.
UPDATE import_job
   SET status = 'running', message = 'Beginning.', progress = 0, tries = tries + 1, updated = clock_timestamp(),
       started = clock_timestamp()
 WHERE id = (SELECT id FROM import_job WHERE finished IS NULL AND status <> 'arriving' ORDER BY number LIMIT 1)
   AND finished IS NULL
RETURNING id

-- name: progress
-- How far it is.
UPDATE import_job SET progress = %(progress)s, message = %(message)s, updated = clock_timestamp()
 WHERE id = %(job)s AND status = 'running' AND tries = %(tries)s

-- name: succeed
-- What came of it; unless another attendant has it by now.
UPDATE import_job
   SET status = 'successful', message = %(message)s, progress = 100, account = %(account)s, faults = %(faults)s,
       updated = clock_timestamp(), finished = clock_timestamp()
 WHERE id = %(job)s AND status = 'running' AND tries = %(tries)s

-- name: fail
-- Why nothing came of it; unless another attendant has it by now.
UPDATE import_job
   SET status = 'failed', message = %(message)s, account = %(account)s, faults = %(faults)s,
       updated = clock_timestamp(), finished = clock_timestamp()
 WHERE id = %(job)s AND status = 'running' AND tries = %(tries)s

-- name: dismiss
-- It is not to be done, or not to its end. Whoever is at it finds that it is his no more.
UPDATE import_job SET status = 'dismissed', message = 'Called off: nothing was loaded.', updated = clock_timestamp(), finished = clock_timestamp()
 WHERE id = %(job)s AND finished IS NULL

-- name: forget_exceptions
-- The report of a try that has come to nothing.
DELETE FROM import_file WHERE job = %(job)s AND role = 'exceptions'

-- name: drop_pieces
-- The bytes of one that is not done.
DELETE FROM import_piece WHERE job = %(job)s

-- name: empty
-- The bytes of what is done, which nobody needs any more.
DELETE FROM import_piece AS p USING import_file AS f, import_job AS j
 WHERE f.job = p.job AND f.number = p.file AND f.role <> 'exceptions' AND j.id = p.job AND j.finished IS NOT NULL

-- name: prune
-- Those that ended long ago, and those whose files have not come to an end.
DELETE FROM import_job
 WHERE finished < clock_timestamp() - interval '30 days'
    OR status = 'arriving' AND created < clock_timestamp() - interval '1 day'
