"""Geocoders on other machines: asked only if the operator names them, and each question once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location
from psycopg.types.json import Jsonb

from api.db import Pool, queries
from geo.geocoders import Cascade, Provider, remote


@dataclass(frozen=True, slots=True)
class Found:
    """A place as another geocoder has it; `reach_km` is half the diagonal of its box, if known."""

    name: str
    longitude: float
    latitude: float
    bounds: tuple[float, float, float, float] | None
    geocoder: str


def cascade(pool: Pool, text: str, user_agent: str, pause_s: float) -> Cascade | None:
    """Return the geocoders that `text` names, ``nominatim=https://… photon=https://…``; or None.

    Raises:
        ValueError: it names none that there is, or no address.
    """
    named = []
    for word in text.split():
        kind, _, url = word.partition("=")
        provider = remote(kind, url=url, user_agent=user_agent, pause_s=pause_s)
        named.append(Provider(provider.name, Remembering(provider, pool)))
    return Cascade(named) if named else None


def places(cascade: Cascade, query: str) -> list[Found]:
    """Return what the first geocoder that knows `query` says.

    Raises:
        GeopyError: all of them failed.
    """
    return [_found(place) for place in cascade.ask(query).places]


class Remembering(Geocoder):  # type: ignore[misc] # geopy has no types
    """A geocoder whose answers are kept in the database, "no such place" too, but no failure."""

    def __init__(self, provider: Provider, pool: Pool) -> None:
        super().__init__(scheme="https")
        self._name = provider.name
        self._pool = pool
        self._reverse = provider.geocoder.reverse
        self._ask = RateLimiter(
            provider.geocoder.geocode,
            min_delay_seconds=provider.pause_s,
            max_retries=0,
            swallow_exceptions=False,
        )

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Return what the geocoder has answered to `query`, now or before."""
        key = {"provider": self._name, "query": query}
        with self._pool.connection() as conn:
            row = conn.execute(queries("places.sql")["known"], key).fetchone()
        if row is None:
            found = self._ask(query, exactly_one=False, timeout=timeout) or []
            answer = [_kept(place) for place in found]
            with self._pool.connection() as conn, conn.transaction():
                conn.execute(queries("places.sql")["writable"])
                conn.execute(
                    queries("places.sql")["remember"], key | {"answer": Jsonb(answer or None)}
                )
        else:
            answer = row[0] or []
        made = [Location(a["name"], (a["latitude"], a["longitude"]), a) for a in answer]
        return (made[0] if exactly_one else made) if made else None

    def reverse(
        self, query: Any, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Return what the geocoder says of a point; that is not kept."""
        found: Location | None = self._reverse(query, exactly_one=exactly_one, timeout=timeout)
        return found


def _kept(place: Location) -> dict[str, Any]:
    return {
        "name": place.address,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "bounds": _bounds(place.raw or {}),
    }


def _bounds(raw: Mapping[str, Any]) -> list[float] | None:
    """Return west, south, east, north, wherever a geocoder has put them."""
    if "boundingbox" in raw:  # Nominatim: south, north, west, east
        south, north, west, east = map(float, raw["boundingbox"])
        return [west, south, east, north]
    extent: Sequence[float] | None = raw.get("properties", {}).get("extent")
    if extent:  # Photon: west, north, east, south
        west, north, east, south = extent
        return [west, south, east, north]
    box: Sequence[float] | None = raw.get("bbox")  # Pelias
    return list(box) if box else None


def _found(place: Location) -> Found:
    bounds = place.raw.get("bounds")
    return Found(
        name=place.address,
        longitude=place.longitude,
        latitude=place.latitude,
        bounds=tuple(bounds) if bounds else None,
        geocoder=place.raw["provider"],
    )
