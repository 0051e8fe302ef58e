"""The sample: the events of a newspaper report of an unannounced truce (docs/decisions/0007)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shapely import Point

from api.db import writing
from api.gazetteer import Names, grounds
from api.importers.placing import Placing
from api.importers.store import Incoming, Origin, had
from api.importers.store import load as store
from geo.precision import Precision, circle

FILE = Path(__file__).parent / "events.json"

#: A place that is known to lie within a distance of a point has that circle for a footprint.
ROUND = {Precision.EXACT, Precision.SETTLEMENT, Precision.NEAR}


def load(dsn: str, names: Names | None = None) -> int:
    """Load the sample, unless the database has had it; return how many events it has changed.

    It is not loaded again over what somebody has made of it since. Without `names` its events have
    no footprints but circles.
    """
    document = json.loads(FILE.read_text(encoding="utf-8"))
    origin = Origin("sample", document["dataset"], [FILE.name], document["release"])
    with writing(dsn, "sample") as conn:
        if had(conn, origin):
            return 0
        incoming = events(document)
        if names is not None:
            incoming = map(Placing(names, grounds(conn)).placed, incoming)
        account = store(conn, incoming, origin)
    return account.created + account.changed


def events(document: dict[str, Any]) -> Iterator[Incoming]:
    """Yield the events of the sample as rows of the table."""
    for event in document["events"]:
        row = {k: v for k, v in event.items() if k != "point"}
        row["source_release"] = document["release"]
        if "point" in event:
            point = Point(event["point"])
            row |= {"geom": point, "geocoder": "by hand"}
            if event["geo_precision"] in ROUND:
                row["footprint"] = circle(point, event["uncertainty_km"])
        yield Incoming(row)
