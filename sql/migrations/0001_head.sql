-- The head: every committed write gets the next number of one commit-ordered sequence.
--
-- Why it is gap-free. A number is drawn only under the advisory lock, and PostgreSQL releases the lock
-- only after the commit has become visible. So a snapshot that sees number n sees every committed
-- number below n, and whatever commits later gets a number above every head seen so far.
-- It holds while the sequence has CACHE 1, constraints stay deferred, and nothing is written through
-- PREPARE TRANSACTION or with triggers switched off (docs/decisions/0002-commit-ordered-head.md).

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA feed;

CREATE SEQUENCE feed.commit_seq CACHE 1;
CREATE SEQUENCE feed.tx_id_seq CACHE 1;

CREATE TABLE feed.state (
  one         boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch       uuid    NOT NULL DEFAULT gen_random_uuid(),
  system_id   bigint  NOT NULL,
  timeline    int     NOT NULL,
  min_seq     bigint  NOT NULL DEFAULT 0,
  head        bigint  NOT NULL DEFAULT 0,
  public_head bigint  NOT NULL DEFAULT 0,
  public_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  total       bigint  NOT NULL DEFAULT 0
);
COMMENT ON COLUMN feed.state.epoch IS 'A new value makes every cursor and ETag handed out so far invalid.';
COMMENT ON COLUMN feed.state.min_seq IS 'Tombstones up to this number have been pruned.';
COMMENT ON COLUMN feed.state.public_head IS 'The last number whose transaction changed something the public can see.';
COMMENT ON COLUMN feed.state.public_at IS 'The instant of public_head.';
COMMENT ON COLUMN feed.state.total IS 'How many events the public can see at public_head, exactly.';

CREATE TABLE feed.tx (
  tx_id     bigint PRIMARY KEY,
  seq       bigint UNIQUE,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  public    boolean NOT NULL DEFAULT false,
  delta     bigint NOT NULL DEFAULT 0,
  actor     text DEFAULT current_setting('hudna.actor', true),
  import_id uuid DEFAULT nullif(current_setting('hudna.import_id', true), '')::uuid
);
COMMENT ON TABLE feed.tx IS 'One row per writing transaction.';
COMMENT ON COLUMN feed.tx.seq IS 'Its place in the commit order; NULL only while it is open.';
COMMENT ON COLUMN feed.tx.public IS 'Whether it changed anything the public can see.';
COMMENT ON COLUMN feed.tx.delta IS 'By how many it changed the number of public events.';

CREATE FUNCTION feed.assign_seq() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine feed.tx;
BEGIN
  PERFORM pg_advisory_xact_lock(730546121);
  UPDATE feed.tx SET seq = nextval('feed.commit_seq'), at = clock_timestamp()
   WHERE tx_id = NEW.tx_id RETURNING * INTO mine;
  UPDATE feed.state
     SET head = mine.seq,
         total = total + mine.delta,
         public_head = CASE WHEN mine.public THEN mine.seq ELSE public_head END,
         public_at = CASE WHEN mine.public THEN mine.at ELSE public_at END;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER zz_commit_order AFTER INSERT ON feed.tx
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION feed.assign_seq();

-- The open transaction's row in feed.tx, made on its first change.
CREATE FUNCTION feed.current_tx() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  mine bigint := nullif(current_setting('feed.tx_id', true), '')::bigint;
BEGIN
  -- Visible with seq NULL means: ours, and still open.
  IF mine IS NOT NULL AND EXISTS (SELECT 1 FROM feed.tx WHERE tx_id = mine AND seq IS NULL) THEN
    RETURN mine;
  END IF;
  mine := nextval('feed.tx_id_seq');
  INSERT INTO feed.tx (tx_id) VALUES (mine);
  PERFORM set_config('feed.tx_id', mine::text, true);  -- undone with its savepoint, as the row is
  RETURN mine;
END $$;

-- Start a new epoch when this is not the cluster, or not the timeline, that handed out the numbers:
-- after a restore or a promotion, commits that were seen may be gone.
CREATE FUNCTION feed.check_epoch() RETURNS uuid
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  UPDATE feed.state s
     SET epoch = gen_random_uuid(), system_id = here.system_id, timeline = here.timeline
    FROM (SELECT system_identifier AS system_id,
                 ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline
            FROM pg_control_system()) AS here
   WHERE (s.system_id, s.timeline) IS DISTINCT FROM (here.system_id, here.timeline);
  SELECT epoch FROM feed.state
$$;

INSERT INTO feed.state (system_id, timeline) VALUES (0, 0);
SELECT feed.check_epoch();
