"""What the service says of itself: landing page, conformance, collections."""

from datetime import date
from math import ceil, floor
from typing import Any

from api import cql2
from api.events import Extent
from api.links import (
    DESCRIBES,
    FUNCTIONS,
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    QUERYABLES,
    SCHEMA,
    SORTABLES,
    TILESETS,
    TILING_SCHEMES,
    Link,
    link,
)
from api.places import Summary
from api.stream import State
from geo.systems import CRS84, SYSTEMS

TITLE = "Hudna"
DESCRIPTION = (
    "Geocoded conflict events. A place is a footprint, a time is an interval, facts have speakers."
)
PLACES = (
    "The gazetteer: settlements, countries and their divisions with their outlines, borders with"
    " their lines, and sites that conflict reports name."
)
PLACES_ATTRIBUTION = (
    "Settlements: GeoNames, CC BY 4.0 (subset, names folded). Outlines and borders: made with"
    " Natural Earth. Sites: OurAirports, Wikipedia, as NOTICE tells."
)
ATTRIBUTION = "Each event names its dataset; credit it as its licence asks (NOTICE)."
CITATION = (
    "Every page of events has a link `cite-as`: its address gives the same bytes for ever. Cite it"
    " with the name of this server and the instant in `timeStamp`."
)
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
_FEATURES = "http://www.opengis.net/spec/ogcapi-features-"
_TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_TMS = "http://www.opengis.net/spec/tms/2.0/conf"

#: The conformance classes whose requirements the tests check; no others are declared.
CONFORMS_TO = [
    f"{_FEATURES}1/1.0/conf/core",
    f"{_FEATURES}1/1.0/conf/oas30",
    f"{_FEATURES}1/1.0/conf/geojson",
    f"{_FEATURES}1/1.0/conf/html",
    f"{_FEATURES}2/1.0/conf/crs",
    f"{_FEATURES}3/1.0/conf/queryables",
    f"{_FEATURES}3/1.0/conf/queryables-query-parameters",
    f"{_FEATURES}3/1.0/conf/filter",
    f"{_FEATURES}3/1.0/conf/features-filter",
    f"{_FEATURES}5/1.0/conf/schemas",
    f"{_FEATURES}5/1.0/conf/core-roles-features",
    f"{_FEATURES}5/1.0/conf/returnables-and-receivables",
    f"{_FEATURES}5/1.0/conf/sortables",
    *cql2.CONFORMANCE,
    # The name in drafts of what is now basic-spatial-functions; QGIS asks for it.
    "http://www.opengis.net/spec/cql2/1.0/conf/basic-spatial-operators",
    *(
        f"{_TILES}/{name}"
        for name in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt")
    ),
    *(f"{_TMS}/{name}" for name in ("tilematrixset", "json-tilematrixset")),
]


def conformance(selves: list[Link]) -> dict[str, Any]:
    """Return the conformance classes that are met."""
    return {"links": selves, "conformsTo": CONFORMS_TO}


def functions(selves: list[Link]) -> dict[str, Any]:
    """Return the functions that filters may call (OGC 19-079r2, 6.5)."""
    return {
        "links": selves,
        "functions": [
            {
                "name": name,
                "arguments": [{"type": sorted({_JSON[kind] for kind in a})} for a in f.takes],
                "returns": [_JSON[f.returns]],
            }
            for name, f in sorted(cql2.FUNCTIONS.items())
        ],
    }


#: The types of CQL2 as Part 3 names them.
_JSON = {
    cql2.Type.TEXT: "string",
    cql2.Type.INTEGER: "integer",
    cql2.Type.NUMBER: "number",
    cql2.Type.BOOLEAN: "boolean",
    cql2.Type.DATE: "datetime",
    cql2.Type.TIMESTAMP: "datetime",
    cql2.Type.GEOMETRY: "geometry",
}


def landing(selves: list[Link]) -> dict[str, Any]:
    """Return the landing page; `selves` are the links to itself, in all formats."""
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "attribution": ATTRIBUTION,
        "citation": CITATION,
        "links": [
            *selves,
            link("service-desc", "/api", OPENAPI, "The interface, in OpenAPI 3.0"),
            link("service-doc", "/api.html", HTML, "The interface, to be read"),
            link("conformance", "/conformance", JSON, "What this server conforms to"),
            link("data", "/collections", JSON, "The collections"),
            link(FUNCTIONS, "/functions", JSON, "The functions that filters may call"),
            link(TILING_SCHEMES, "/tileMatrixSets", JSON, "How the map is cut into tiles"),
        ],
    }


def collections(selves: list[Link], *described: dict[str, Any]) -> dict[str, Any]:
    """Return the list of collections."""
    return {"links": selves, "collections": list(described)}


def events(extent: Extent, state: State, selves: list[Link] | None = None) -> dict[str, Any]:
    """Return the description of the collection of events; without `selves`, as one of the list."""
    described = _collection("events", "Conflict events", DESCRIPTION, ATTRIBUTION, state, selves)
    described["links"].append(link(TILESETS, "/collections/events/tiles", JSON, "As vector tiles"))
    return described | {"extent": _extent(extent)}


def places(summary: Summary, selves: list[Link] | None = None) -> dict[str, Any]:
    """Return the description of the collection of places; without `selves`, as one of the list."""
    described = _collection("places", "Places", PLACES, PLACES_ATTRIBUTION, summary.state, selves)
    return described | {"extent": _spatial(summary.bbox)}


def _collection(  # noqa: PLR0913, PLR0917 - what a collection is, member by member
    name: str,
    title: str,
    description: str,
    attribution: str,
    state: State,
    selves: list[Link] | None,
) -> dict[str, Any]:
    path = f"/collections/{name}"
    selves = selves or [
        link("self", path, JSON, "This collection"),
        link("alternate", f"{path}?f=html", HTML, "This collection, html"),
    ]
    return {
        "id": name,
        "title": title,
        "description": description,
        "attribution": attribution,
        "itemType": "feature",
        "itemCount": state.total,
        "extent": {},
        "crs": list(SYSTEMS),
        "storageCrs": CRS84,
        "links": [
            *selves,
            link("items", f"{path}/items", GEOJSON, f"The {name}"),
            link(QUERYABLES, f"{path}/queryables", SCHEMA, "What can be filtered by"),
            link("queryables", f"{path}/queryables", SCHEMA, "What can be filtered by"),
            link(SORTABLES, f"{path}/sortables", SCHEMA, "What can be sorted by"),
            link(DESCRIBES, f"{path}/schema", SCHEMA, f"What {name} have"),
            link("describedby", f"{path}/schema/feature", SCHEMA, f"The {name} as GeoJSON"),
            # As the first edition of the standard wrote it, which older GDALs look for.
            link("describedBy", f"{path}/schema/feature", SCHEMA, f"The {name} as GeoJSON"),
        ],
    }


def _extent(extent: Extent) -> dict[str, Any]:
    temporal = {"interval": [[_start(extent.first), _end(extent.last)]], "trs": GREGORIAN}
    return _spatial(extent.bbox) | {"temporal": temporal}


def _spatial(bbox: tuple[float, float, float, float] | None) -> dict[str, Any]:
    if bbox is None:
        return {}
    west, south, east, north = bbox
    rounded = [floor(west * 1e6), floor(south * 1e6), ceil(east * 1e6), ceil(north * 1e6)]
    return {"spatial": {"bbox": [[x / 1e6 for x in rounded]], "crs": CRS84}}


def _start(day: date | None) -> str | None:
    return f"{day.isoformat()}T00:00:00Z" if day else None


def _end(day: date | None) -> str | None:
    return f"{day.isoformat()}T23:59:59Z" if day else None
