-- Files that were sent for import, from their arrival to what came of them.

CREATE TABLE import_job (
  id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  number   bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  api_key  uuid NOT NULL REFERENCES api_key,
  format   text NOT NULL,
  options  json NOT NULL,
  status   text NOT NULL DEFAULT 'arriving' CHECK (status IN ('arriving', 'accepted', 'running', 'successful', 'failed', 'dismissed')),
  message  text NOT NULL DEFAULT '',
  progress int NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  tries    int NOT NULL DEFAULT 0,
  created  timestamptz NOT NULL DEFAULT clock_timestamp(),
  started  timestamptz,
  finished timestamptz,
  updated  timestamptz NOT NULL DEFAULT clock_timestamp(),
  account  json,
  faults   json NOT NULL DEFAULT '[]'
);
COMMENT ON TABLE import_job IS 'One row per request to import; kept for 30 days after its end.';
COMMENT ON COLUMN import_job.status IS 'As in OGC API - Processes; arriving: its files are not all there yet.';
COMMENT ON COLUMN import_job.tries IS 'How often it was begun: what begins it may be killed.';
COMMENT ON COLUMN import_job.account IS 'What came of it: api/importers/account.py.';
COMMENT ON COLUMN import_job.faults IS 'The first of what is wrong in its rows.';
CREATE INDEX import_job_open ON import_job (number) WHERE finished IS NULL;

CREATE TABLE import_file (
  job    uuid NOT NULL REFERENCES import_job ON DELETE CASCADE,
  number int NOT NULL,
  role   text NOT NULL CHECK (role IN ('file', 'mapping', 'deleted', 'exceptions')),
  name   text NOT NULL,
  size   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (job, number)
);
COMMENT ON TABLE import_file IS 'The files of a job, and the report of what was wrong in them (exceptions).';

CREATE TABLE import_piece (
  job    uuid NOT NULL,
  file   int NOT NULL,
  number int NOT NULL,
  data   bytea NOT NULL,
  PRIMARY KEY (job, file, number),
  FOREIGN KEY (job, file) REFERENCES import_file ON DELETE CASCADE
);
COMMENT ON TABLE import_piece IS 'Files in pieces, in the database, so that what was accepted is as safe as what was written; gone with the end of the job.';
ALTER TABLE import_piece ALTER COLUMN data SET STORAGE EXTERNAL;  -- most come compressed, and soon go
