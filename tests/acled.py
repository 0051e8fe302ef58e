"""Rows in ACLED's layout, all of them invented."""

import csv
import io
import json

COLUMNS = (
    *("event_id_cnty", "event_date", "year", "time_precision", "disorder_type", "event_type"),
    *("sub_event_type", "actor1", "assoc_actor_1", "inter1", "actor2", "assoc_actor_2", "inter2"),
    *("interaction", "civilian_targeting", "iso", "region", "country", "admin1", "admin2"),
    *("admin3", "location", "latitude", "longitude", "geo_precision", "source", "source_scale"),
    *("notes", "fatalities", "tags", "timestamp"),
)
#: The columns of the exports until 2023.
OLD_COLUMNS = (
    *("data_id", "iso", "event_id_cnty", "event_id_no_cnty", "event_date", "year"),
    *("time_precision", "event_type", "sub_event_type", "actor1", "assoc_actor_1", "inter1"),
    *("actor2", "assoc_actor_2", "inter2", "interaction", "region", "country", "admin1", "admin2"),
    *("admin3", "location", "latitude", "longitude", "geo_precision", "source", "source_scale"),
    *("notes", "fatalities", "timestamp", "iso3"),
)

ROW = {
    "event_id_cnty": "RUR7752",
    "event_date": "2018-03-09",
    "year": "2018",
    "time_precision": "1",
    "disorder_type": "Political violence",
    "event_type": "Battles",
    "sub_event_type": "Armed clash",
    "actor1": "Military Forces of Ruritania",
    "assoc_actor_1": "Police Forces of Ruritania; Zenda Volunteers",
    "inter1": "1",
    "actor2": "Blue Column",
    "assoc_actor_2": "",
    "inter2": "2",
    "interaction": "12",
    "civilian_targeting": "",
    "iso": "760",
    "region": "Middle East",
    "country": "Syria",
    "admin1": "Eastern province",
    "admin2": "Zenda district",
    "admin3": "",
    "location": "Zenda",
    "latitude": "34.5",
    "longitude": "40.9",
    "geo_precision": "1",
    "source": "Strelsau Courier; Zenda Radio",
    "source_scale": "National",
    "notes": "On 9 March 2018, the Blue Column attacked the bridge of Zenda.",
    "fatalities": "3",
    "tags": "crowd size=no report; local administrators",
    "timestamp": "1520900000",
}


def row(**cells) -> dict[str, str]:
    """A row that is right, but for `cells`."""
    return ROW | cells


def mirrored(one) -> dict[str, str]:
    """The other row that a monadic export has of an event."""
    swap = str.maketrans("12", "21")
    sides = [f"{name}{n}" for name in ("actor", "assoc_actor_", "inter") for n in "12"]
    return one | {name.translate(swap): one[name] for name in sides}


def as_csv(*rows, columns=COLUMNS) -> bytes:
    """The bytes of an export; without rows, of one that is right."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([r.get(column, "") for column in columns] for r in rows or [ROW])
    return out.getvalue().encode()


def as_json(*rows, bare=False) -> bytes:
    """What the API answers, its numbers as numbers; or the bare list."""
    numbers = ("year", "time_precision", "iso", "geo_precision", "fatalities", "timestamp")
    data = [
        {k: int(v) if k in numbers and v else v or None for k, v in r.items()}
        for r in rows or [ROW]
    ]
    answer = {"success": True, "status": 200, "count": len(data), "messages": [], "data": data}
    return json.dumps(data if bare else answer, indent=1).encode()
