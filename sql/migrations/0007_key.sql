-- Who may do more than read what is public, what was done to keys and by erasures, and what must not be done twice.

CREATE TABLE api_key (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL CHECK (name <> ''),
  prefix     text NOT NULL UNIQUE,
  hash       bytea NOT NULL,
  scopes     text[] NOT NULL CHECK (scopes <@ ARRAY['read:restricted', 'write', 'import', 'admin'] AND scopes <> '{}'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  revoked_at timestamptz
);
COMMENT ON TABLE api_key IS 'Keys; a key itself is nowhere, only what tells whether one is it.';
COMMENT ON COLUMN api_key.name IS 'Whom the public history of an event names as its author.';
COMMENT ON COLUMN api_key.prefix IS 'The part of the key by which it is found; no secret.';
COMMENT ON COLUMN api_key.hash IS 'SHA-256 of the key: it has 256 random bits, so that nothing slower is needed.';

CREATE TABLE audit (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor   text NOT NULL DEFAULT coalesce(nullif(current_setting('hudna.actor', true), ''), session_user),
  action  text NOT NULL,
  subject text NOT NULL,
  old     jsonb,
  new     jsonb
);
COMMENT ON TABLE audit IS 'Acts on keys, and erasures, in the transaction of the act. What was done to events is event_change.';
COMMENT ON COLUMN audit.subject IS 'The prefix of the key, or the id of the event.';

-- What was answered to a request that may come again (the Idempotency-Key header), in the transaction of what it did.
CREATE TABLE idempotency (
  api_key uuid NOT NULL REFERENCES api_key,
  key     text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  request bytea NOT NULL,
  at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  status  int,
  answer  jsonb,
  PRIMARY KEY (api_key, key)
);
COMMENT ON TABLE idempotency IS 'Kept for 7 days.';
COMMENT ON COLUMN idempotency.request IS 'SHA-256 of the request: another one under the same key is refused.';
COMMENT ON COLUMN idempotency.answer IS 'Ids and versions only: what was written may have to be erased.';
CREATE INDEX idempotency_at ON idempotency (at);

-- Who wrote which version of an event, and when.
CREATE VIEW event_change AS
SELECT v.id AS event_id, t.at, t.actor, t.import_id, t.seq, v.tx_id,
       CASE WHEN v.deleted THEN 'delete' WHEN v.version = 1 THEN 'create' ELSE 'update' END AS action,
       nullif(v.version - 1, 0) AS old_version, v.version AS new_version
  FROM event_version AS v JOIN feed.tx AS t ON t.tx_id = v.tx_id;
COMMENT ON VIEW event_change IS 'The audit of events; the versions themselves are in event and event_history.';

-- What is written stays. It guards against slips and against the service, not against the owner of the tables.
-- event_erase() is the one way past it, told by the stack of calls, which no setting can feign.
CREATE FUNCTION append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stack text;
BEGIN
  GET DIAGNOSTICS stack = PG_CONTEXT;
  IF stack ~ '(PL/pgSQL|SQL) function "?(public\.)?event_erase\M' THEN
    RETURN CASE TG_OP WHEN 'UPDATE' THEN NEW WHEN 'DELETE' THEN OLD END;
  END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON event_history FOR EACH STATEMENT EXECUTE FUNCTION append_only();
-- A transaction is open until its number is drawn; what is left of it (live) is no part of the record.
CREATE TRIGGER append_only BEFORE UPDATE ON feed.tx
  FOR EACH ROW WHEN (OLD.seq IS NOT NULL
                     AND (OLD.tx_id, OLD.seq, OLD.at, OLD.public, OLD.delta, OLD.actor, OLD.import_id, OLD.withholds, OLD.total)
                         IS DISTINCT FROM
                         (NEW.tx_id, NEW.seq, NEW.at, NEW.public, NEW.delta, NEW.actor, NEW.import_id, NEW.withholds, NEW.total))
  EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_rows BEFORE DELETE ON feed.tx FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_table BEFORE TRUNCATE ON feed.tx FOR EACH STATEMENT EXECUTE FUNCTION append_only();
