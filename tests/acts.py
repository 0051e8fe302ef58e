"""What may happen to events, as tests have it happen."""

import psycopg

from conftest import insert, settle

#: As a statement about one id.
ACTS = {
    "edit": "UPDATE event SET notes = gen_random_uuid()::text WHERE id = %s AND NOT deleted",
    "restrict": "UPDATE event SET visibility = 'restricted' WHERE id = %s AND NOT deleted",
    "publish": "UPDATE event SET visibility = 'public' WHERE id = %s AND NOT deleted",
    "delete": "SELECT event_delete(%s)",
    "erase": "SELECT event_erase(%s)",
    "revive": "UPDATE event SET deleted = false, notes = 'again' WHERE id = %s AND deleted",
}


def act(conn, name, event) -> None:
    """Let one thing happen to an event, as if it had been committed."""
    conn.execute(ACTS[name], [event])
    settle(conn)


def change(dsn, chance, acts, rounds, at_once=1, *, among=None):
    """Commit so many transactions, each with acts on some events."""
    with psycopg.connect(dsn) as conn:
        events = among or [row[0] for row in conn.execute("SELECT id FROM event ORDER BY id")]
        for _ in range(rounds):
            for event in chance.sample(events, at_once):
                conn.execute(ACTS[chance.choice(acts)], [event])
            if chance.random() < 0.3:
                insert(conn, place=(31, 15.5), country="SDN", notes="new")
            conn.commit()
