"""What a deployment may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

PREFIX = "HUDNA_"

#: Where data is kept unless it is said otherwise.
DATA = Path(__file__).parent.parent / "data"
#: The index of place names in the folder of the data.
NAMES = "places.sqlite"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a deployment may change.

    Each field is read from ``HUDNA_`` + its name in capitals, but for `database_url`,
    which has the name that every hosting service gives it, ``DATABASE_URL``.
    """

    database_url: str = field(metadata={"help": "The PostGIS database, as a libpq URL."})
    public_url: str = field(
        default="",
        metadata={"help": "The address clients use, for links; the request's own if empty."},
    )
    proxies: int = field(
        default=0,
        metadata={"help": "How many trusted proxies set X-Forwarded-For, -Proto, -Host, -Prefix."},
    )
    pool_size: int = field(default=4, metadata={"help": "Database connections of one worker."})
    write_pool_size: int = field(
        default=2, metadata={"help": "Database connections of one worker for writes."}
    )
    require_if_match: int = field(
        default=0, metadata={"help": "1: who replaces or deletes must say which version (428)."}
    )
    waiters: int = field(
        default=32,
        metadata={"help": "Requests of one worker that may wait for a change at a time."},
    )
    import_limit_mb: int = field(
        default=512, metadata={"help": "Megabytes that a request to import may have at most (413)."}
    )
    statement_timeout_s: int = field(
        default=10, metadata={"help": "Seconds after which a query is given up (503)."}
    )
    export_timeout_s: int = field(
        default=3600, metadata={"help": "Seconds after which a file of features is given up."}
    )
    gazetteer: str = field(
        default=str(DATA / NAMES),
        metadata={"help": "The index of place names that `hudna gazetteer load` makes."},
    )
    geocoders: str = field(
        default="",
        metadata={"help": "Geocoders to ask for unknown names, `nominatim=URL photon=URL …`."},
    )
    geocoder_pause_s: int = field(
        default=1, metadata={"help": "The least seconds between two questions to one of them."}
    )
    user_agent: str = field(
        default="hudna", metadata={"help": "How this server introduces itself to them."}
    )

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings that `environ` names; the others keep their defaults.

        Raises:
            ValueError: a setting is missing or is not a number where it must be; it is named.
        """
        values: dict[str, Any] = {}
        for f in fields(cls):
            name = variable(f.name)
            text = environ.get(name, "")
            if text:
                values[f.name] = _number(name, text) if f.type is int else text
        if "database_url" not in values:
            raise ValueError("DATABASE_URL is not set: it names the PostGIS database to serve.")
        if data := environ.get("HUDNA_DATA"):
            values.setdefault("gazetteer", str(Path(data) / NAMES))
        return cls(**values)


def variable(name: str) -> str:
    """Return the environment variable that sets the field `name`.

    >>> variable("pool_size"), variable("database_url")
    ('HUDNA_POOL_SIZE', 'DATABASE_URL')
    """
    return "DATABASE_URL" if name == "database_url" else PREFIX + name.upper()


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} must be a whole number, not {text!r}.")
    return int(text)
