-- What was imported, from what, and the rows as their source wrote them.

CREATE TABLE import (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  format      text NOT NULL,
  dataset     text NOT NULL,
  files       text[] NOT NULL,
  release     text,
  at          timestamptz NOT NULL DEFAULT transaction_timestamp(),
  read        bigint NOT NULL DEFAULT 0,
  created     bigint NOT NULL DEFAULT 0,
  changed     bigint NOT NULL DEFAULT 0,
  unchanged   bigint NOT NULL DEFAULT 0,
  rejected    bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE import IS 'One row per import, written in the transaction of its data.';

CREATE TABLE source_row (
  event_id  uuid PRIMARY KEY,
  import_id uuid NOT NULL,
  file      text NOT NULL,
  line      bigint NOT NULL,
  row       jsonb NOT NULL
);
COMMENT ON TABLE source_row IS 'The row of the source that an event was last read from, untouched.';
COMMENT ON COLUMN source_row.line IS 'The line of the file on which the row begins, from 1.';
