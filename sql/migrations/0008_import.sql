-- What an import was made of, so that the same files with the same options need not be read again.

ALTER TABLE import
  ADD COLUMN sha256 text[] NOT NULL DEFAULT '{}',
  ADD COLUMN options jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN gone bigint NOT NULL DEFAULT 0,
  ALTER COLUMN dataset DROP NOT NULL;
COMMENT ON COLUMN import.dataset IS 'The data set; NULL: the rows named several.';
COMMENT ON COLUMN import.sha256 IS 'The digests of its files, in their order, in hexadecimal.';
COMMENT ON COLUMN import.options IS 'All that decides what its files become, besides themselves.';
COMMENT ON COLUMN import.gone IS 'How many events it deleted.';
CREATE INDEX import_sha256 ON import USING gin (sha256);
