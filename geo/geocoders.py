"""Several geocoders asked in turn: the local one first, then those that the operator has named."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geopy.exc import GeopyError
from geopy.extra.rate_limiter import RateLimiter
from geopy.geocoders import Nominatim, Pelias, Photon
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

#: The kinds of remote geocoder that `remote` can build.
KINDS: Mapping[str, type[Geocoder]] = {"nominatim": Nominatim, "photon": Photon, "pelias": Pelias}


@dataclass(frozen=True, slots=True)
class Provider:
    """A geocoder and the name under which its answers are known; `pause_s` lies between calls."""

    name: str
    geocoder: Geocoder
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A provider that was asked and gave no answer because of an error."""

    provider: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cascade found: whose places, and who failed before."""

    places: tuple[Location, ...]
    provider: str | None
    failures: tuple[Failure, ...]


class Cascade(Geocoder):  # type: ignore[misc]
    """Asks each provider in turn; the first that knows a place answers.

    An error of one is noted in the outcome, and the next is asked; when all that were asked have
    failed, the last error is raised: "no answer" never looks like "no such place".
    """

    def __init__(self, providers: Iterable[Provider]) -> None:
        super().__init__(scheme="https")
        asked = list(providers)
        self._providers = [(one.name, _paced(one.geocoder.geocode, one.pause_s)) for one in asked]
        self._reversers = [(one.name, _paced(one.geocoder.reverse, one.pause_s)) for one in asked]

    def geocode(
        self, query: str, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Return what the first provider that knows `query` says; None: nobody knows it.

        Every location's `raw` has the provider's name under `provider`.
        """
        return _geopy(self.ask(query, timeout=timeout), exactly_one=exactly_one)

    def reverse(
        self, query: Any, *, exactly_one: bool = True, timeout: Any = DEFAULT_SENTINEL
    ) -> Location | list[Location] | None:
        """Return what the first provider that knows the point (latitude, longitude) says."""
        return _geopy(_first(self._reversers, query, timeout), exactly_one=exactly_one)

    def ask(self, query: str, *, timeout: Any = DEFAULT_SENTINEL) -> Outcome:
        """Return places, the provider that knew them, and the failures on the way.

        Raises:
            GeopyError: every provider failed; the errors of the others are its notes.
        """
        return _first(self._providers, query, timeout)


def remote(
    kind: str, *, url: str, user_agent: str, pause_s: float = 1.0, timeout_s: float = 5.0
) -> Provider:
    """Return a remote geocoder from plain settings.

    `kind` is one of `KINDS`, `url` its scheme, host and path ("https://photon.example/geo");
    `pause_s` is the least time between two calls: Nominatim's public server wants a second.

    Raises:
        ValueError: there is no such kind, or `url` has no scheme.
    """
    scheme, found, domain = url.rstrip("/").partition("://")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(sorted(KINDS))}")
    if not found or scheme not in {"http", "https"}:
        raise ValueError(f"{url!r} does not begin with http:// or https://")
    settings: dict[str, Any] = {
        "domain": domain,
        "scheme": scheme,
        "user_agent": user_agent,
        "timeout": timeout_s,
    }
    return Provider(name=kind, geocoder=KINDS[kind](**settings), pause_s=pause_s)


Ask = Callable[..., Any]


def _paced(ask: Ask, pause_s: float) -> Ask:
    if not pause_s:
        return ask
    paced: Ask = RateLimiter(
        ask, min_delay_seconds=pause_s, max_retries=0, swallow_exceptions=False
    )
    return paced


def _first(providers: Sequence[tuple[str, Ask]], query: Any, timeout: Any) -> Outcome:
    failures: list[Failure] = []
    last: GeopyError | None = None
    for name, ask in providers:
        try:
            found = ask(query, exactly_one=False, timeout=timeout)
        except GeopyError as error:
            failures.append(Failure(name, f"{type(error).__name__}: {error}"))
            last = error
            continue
        if found:
            places = tuple(_told(place, name) for place in found)
            return Outcome(places=places, provider=name, failures=tuple(failures))
    if last is not None and len(failures) == len(providers):
        for failure in failures[:-1]:
            last.add_note(f"{failure.provider} failed before: {failure.error}")
        raise last
    return Outcome(places=(), provider=None, failures=tuple(failures))


def _told(place: Location, provider: str) -> Location:
    return Location(place.address, place.point, {**(place.raw or {}), "provider": provider})


def _geopy(outcome: Outcome, *, exactly_one: bool) -> Location | list[Location] | None:
    if not outcome.places:
        return None
    return outcome.places[0] if exactly_one else list(outcome.places)
