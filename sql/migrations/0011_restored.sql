-- A database that was restored from a dump is told by its number in the cluster, if it is the same cluster.

ALTER TABLE feed.state ADD COLUMN database oid;
COMMENT ON COLUMN feed.state.database IS 'Its number in the cluster that handed out the numbers.';
UPDATE feed.state SET database = (SELECT oid FROM pg_database WHERE datname = current_database());

CREATE OR REPLACE FUNCTION feed.check_epoch() RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  here record;
  known feed.state;
BEGIN
  SELECT c.system_identifier AS system_id,
         ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline, d.oid AS database
    INTO here FROM pg_control_system() AS c, pg_database AS d WHERE d.datname = current_database();
  SELECT * INTO known FROM feed.state;
  IF (known.system_id, known.timeline, known.database) IS DISTINCT FROM (here.system_id, here.timeline, here.database) THEN
    UPDATE feed.epoch SET until = least(until, known.head);
    INSERT INTO feed.epoch VALUES (known.epoch, known.head);
    UPDATE feed.state
       SET epoch = gen_random_uuid(), system_id = here.system_id, timeline = here.timeline, database = here.database
     RETURNING * INTO known;
  END IF;
  RETURN known.epoch;
END $$;
