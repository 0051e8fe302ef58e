"""Make the input of admin1.topojson.gz out of Natural Earth's admin-1 units; make.md has the rest.

Run as `python -m geo.data.admin1 admin1.json > units.json`.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import shapely
from shapely import MultiPolygon, Polygon
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

#: Natural Earth's own code of a territory, where it is not ISO's; None leaves the units out.
ALPHA3 = {
    "ALD": "ALA",
    "ATC": "AUS",
    "CLP": "FRA",
    "CSI": "AUS",
    "CYN": "CYP",
    "ESB": "CYP",
    "KAB": "KAZ",
    "KAS": "IND",
    "KOS": "XKX",
    "PGA": None,
    "PSX": "PSE",
    "SAH": "ESH",
    "SDS": "SSD",
    "SOL": "SOM",
    "USG": "CUB",
    "WSB": "CYP",
}

#: Units with another country than their neighbours of the same Natural Earth territory.
COUNTRY_OF_UNIT = {
    "-99-X14~": "CXR",
    "-99-X15~": "CCK",
    "FR-GF": "GUF",
    "FR-GP": "GLP",
    "FR-MQ": "MTQ",
    "FR-RE": "REU",
    "FR-YT": "MYT",
    "NO-21": "SJM",
    "NO-X01~": "BVT",
    "UA-40": "UKR",
    "UA-43": "UKR",
}

#: ISO 3166-2 codes which Natural Earth gives to two units, by its own key; and names that it lost.
CORRECTED = {
    "AFG-1753": {"code": "AF-DAY", "name": "Daykundi"},
    "AFG-1769": {"code": "AF-PAN", "name": "Panjshir"},
    "LBY-2978": {"name": "Tripoli"},
    "MEX-2727": {"name": "Mexico City"},
    "PAK-1111": {"name": "Gilgit-Baltistan"},
    "SDN-5856": {"name": "South Darfur"},
    "SDN-5857": {"code": "SD-DE", "name": "East Darfur"},
    "SDN-5858": {"name": "West Darfur"},
    "SDN-5859": {"code": "SD-DC"},
    "UKR-4826": {"name": "Kyiv City"},
    "YEM-3498": {"name": "Amanat al-Asimah"},
    "YEM-3510": {"name": "Aden"},
}

#: A second name, as in "Homs (Hims)".
_INNER = re.compile(r"\s*\(([^)]*)\)")


def units(features: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield one slim, valid feature for each unit that belongs to a country."""
    for feature in features:
        known = feature["properties"]
        country = country_of(known)
        if country is None:
            continue
        fixed = CORRECTED.get(known["adm1_code"], {})
        names = [known.get(key) or "" for key in ("name", "name_en", "gn_name", "name_fr")]
        for column in ("woe_name", "name_alt", "name_local"):
            names += (known.get(column) or "").split("|")
        names += [inner for name in names for inner in _INNER.findall(name)]
        names = [_INNER.sub("", name).strip() for name in names]
        name = fixed.get("name") or shown(names)
        yield {
            "type": "Feature",
            "properties": {
                "adm0_a3": known["adm0_a3"],
                "country": country,
                "code": fixed.get("code") or known["iso_3166_2"],
                "name": name,
                "ar": known.get("name_ar") or "",
                "alt": "|".join(sorted({*names} - {name, ""})),
                "type": known.get("type_en") or "",
                "geonames": known.get("gn_a1_code") or "",
            },
            "geometry": mapping(valid(shape(feature["geometry"]))),
        }


def shown(names: Sequence[str]) -> str:
    """Return the name to show: the English one, if another source than Wikidata has it too.

    Wikidata's English label is sometimes another place's (Sikasso is "Wassoulou"); and "South"
    says less than "South Lebanon".
    """
    local, english, *others = names
    del others[1]  # French labels are Wikidata's as well
    same = [other for other in (local, *others) if other[:4].lower() == english[:4].lower()]
    return english if english and same and not local.startswith(english) else local


def country_of(known: Mapping[str, Any]) -> str | None:
    """Return the ISO 3166-1 alpha-3 code of the country that a unit is counted to."""
    if known["admin"] == "Caribbean Netherlands":
        return "BES"
    own = COUNTRY_OF_UNIT.get(known["iso_3166_2"])
    return own or ALPHA3.get(known["adm0_a3"], known["adm0_a3"])


def valid(ground: BaseGeometry) -> BaseGeometry:
    """Return `ground` without crossings of its own line (IT-GO and BR-GO have some)."""
    if shapely.is_valid(ground):
        return ground
    parts = shapely.get_parts(shapely.make_valid(ground, method="structure"))
    return MultiPolygon([part for part in parts if isinstance(part, Polygon)])


if __name__ == "__main__":
    source = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    json.dump(
        {"type": "FeatureCollection", "features": list(units(source["features"]))},
        sys.stdout,
        ensure_ascii=False,
    )
