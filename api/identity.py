"""The ids of events: the same event has the same id in every deployment."""

from functools import lru_cache
from uuid import UUID, uuid5

#: Hudna's own namespace. It never changes: every id ever cited hangs on it.
NAMESPACE = UUID("749c78b5-9b40-4ac9-8922-d8f4ba3b46de")


def event_id(dataset: str, source_id: str) -> UUID:
    """Return the id of the event that `dataset` knows as `source_id`.

    It is the same in every deployment, for ever: nothing goes into it but these two names. It is
    uuid5 of `source_id` in the namespace that is uuid5 of `dataset` in `NAMESPACE`.

    >>> event_id("ucdp-ged", "300380") == event_id("ucdp-ged", "300380")
    True
    >>> event_id("a", "bc") == event_id("ab", "c")
    False
    """
    return uuid5(_namespace(dataset), source_id)


@lru_cache(maxsize=64)
def _namespace(dataset: str) -> UUID:
    return uuid5(NAMESPACE, dataset)
