"""What a phrase for a place can say, as a tree."""

from dataclasses import dataclass, field

from geo.coordinates import Coordinates


@dataclass(frozen=True, slots=True)
class Name:
    """A name to be looked up."""

    text: str


@dataclass(frozen=True, slots=True)
class Known:
    """A place by its id: "place:settlement-98182"."""

    id: str


@dataclass(frozen=True, slots=True)
class Division:
    """A name said to be a division's: "Anbar province". `small`: one below the first level.

    `name` is the phrase, if it could be a name itself ("ريف دمشق").
    """

    text: str
    small: bool = False
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The border of two places, by country code or name; of all neighbours without a second."""

    one: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One country's side of a border."""

    country: str
    line: Line


@dataclass(frozen=True, slots=True)
class Offset:
    """So many kilometres from a place, in a direction or in any."""

    distance_km: float
    direction: str | None
    start: "Expression"


@dataclass(frozen=True, slots=True)
class Near:
    """Near a place, or on its outskirts."""

    place: "Expression"
    outskirts: bool = False
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Between:
    """Between two places; on the road between them."""

    one: "Expression"
    other: "Expression"
    road: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an area; `name` is the phrase, if it could be a name itself ("South Sudan")."""

    direction: str
    whole: "Expression"
    name: str | None = None
    outside: bool = False  #: "north of X": for a town, the ground beyond it


@dataclass(frozen=True, slots=True)
class Within:
    """A place in another; each container narrows what the place may be."""

    place: "Expression"
    containers: tuple["Expression", ...] = field(default=())


Expression = (
    Name | Known | Division | Line | Side | Offset | Near | Between | Part | Within | Coordinates
)


class Unplaced(ValueError):  # noqa: N818 - it is what the phrase is
    """A phrase for which there is no place; the message says why."""
