import sqlite3
from contextlib import closing

import pytest
import shapely
from geocoding import MARK, REPORT, RIGHT, cases, failures, report
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.compass import apart_km
from geo.expressions import Line, Name, Near, Offset, Part, Side, Unplaced
from geo.phrases import RULES, parse
from geo.precision import Precision
from geo.words import plain


def test_the_table_is_as_right_as_ever(fixer):
    failed = failures(fixer)
    right = len(cases()) - len(failed)
    assert right == RIGHT, [f"{case['phrase']}: {wrong}" for case, _, wrong in failed]


def test_the_published_score_is_the_real_one(fixer):
    assert REPORT.read_text(encoding="utf-8").partition(MARK)[2] == "\n" + report(fixer)


@pytest.mark.parametrize(
    "phrase",
    [
        "the Jordan–Syria border",
        "Jordan-Syria border",
        "Jordan / Syria border",
        "border between Jordan and Syria",
        "Jordanian-Syrian border",
        "Jordan's border with Syria",
        "on the Jordanian–Syrian border",
        "along the border of Jordan and Syria",
        "la frontière entre la Jordanie et la Syrie",
        "frontière jordano-syrienne",
        "الحدود بين الأردن وسوريا",
        "الحدود الأردنية السورية",
        "على الحدود الأردنية - السورية",
        "حدود الأردن مع سوريا",
        "the Jordan and Syria border region",
    ],
)
def test_a_border_is_read_however_it_is_said(phrase):
    assert parse(phrase) == Line("JOR", "SYR")


@pytest.mark.parametrize(
    "phrase",
    [
        "40 km north-west of Gao",
        "40km NW of Gao",
        "40 kilometres northwest of Gao",
        "about 40 km NW of Gao",
        "40-km north west of Gao",
        "à 40 km au nord-ouest de Gao",
        "environ 40 kilomètres au nord-ouest de Gao",
        "40 km to the north-west of Gao",
        "some 40 kms north-west from Gao",
        "٤٠ كم شمال غرب Gao",
        "على بعد 40 كيلومترا شمال غرب Gao",
        "around 40 km north-west of the Gao",
    ],
)
def test_an_offset_is_read_however_it_is_said(phrase):
    assert parse(phrase) == Offset(40.0, "north-west", Name("Gao"))


def test_hyphens_within_a_country_do_not_cut_it():
    assert parse("Guinea-Bissau–Senegal border") == Line("GNB", "SEN")
    assert parse("the Bosnia-Herzegovina-Serbia border") == Line("BIH", "SRB")


def test_sides_and_nestings():
    assert parse("the Syrian side of the border with Iraq") == Side("SYR", Line("SYR", "IRQ"))
    assert parse("near the Mali-Niger border") == Near(Line("MLI", "NER"))
    assert parse("southern Lebanon") == Part("south", Name("Lebanon"))


@given(st.text(max_size=40))
@settings(deadline=None)
def test_any_text_is_read_or_refused(phrase):
    try:
        parse(phrase)
    except Unplaced as reason:
        says = str(reason)
        assert says


WORDS = st.sampled_from(
    [
        "near",
        "the",
        "border",
        "between",
        "and",
        "40 km",
        "north",
        "of",
        "Syria",
        "Iraq",
        ",",
        "-",
        "Homs",
        "province",
        "southern",
        "outskirts of",
        "frontière",
        "entre",
        "et",
        "الحدود",
        "بين",
        "'s",
    ]
)


@given(st.lists(WORDS, max_size=9))
@settings(deadline=None, max_examples=150)
def test_any_words_are_placed_or_refused(fix, words):
    try:
        found = fix(" ".join(words))
    except Unplaced as reason:
        says = str(reason)
        assert says
    else:
        assert not found.footprint.is_empty


@pytest.mark.parametrize("case", cases(), ids=lambda case: case["phrase"])
def test_the_footprint_is_within_the_uncertainty_and_holds_the_point(fix, case):
    try:
        found = fix(case["phrase"])
    except Unplaced:
        return
    assert found.footprint.is_valid
    assert found.footprint.dwithin(found.point, 0.02)
    assert found.chain
    corners = shapely.get_coordinates(found.footprint)
    for corner in corners[:: max(1, len(corners) // 50)]:
        # Rounding of ground to hundredths of a degree, and the round rim of a circle.
        far_km = apart_km(found.point, shapely.Point(corner))
        assert far_km <= 1.02 * found.uncertainty_km + 2


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [
        ("border between Lebanon and Cyprus", "share no land border"),
        ("40 km north of the Jordan–Syria border", "is no point"),
        ("40 km north of Syria", "is no point"),
        ("near Syria", "is no point"),
        ("the Cyprus border", "has no land border"),
        ("the Turkish side of the Jordan-Syria border", "does not lie along"),
        ("5000 km east of Homs", "no distance"),
        ("between Homs and Homs", "the same place"),
        ("99.9, 200.1", "on earth"),
        ("Xyzzy province", "no first-level division"),
        ("Rutba, Mali", "no place called"),
        ("near " * 100 + "Homs", "longer than 300"),
        ("", "empty"),
        ("  ,. ", "empty"),
    ],
)
def test_what_is_refused_says_why(fix, phrase, reason):
    with pytest.raises(Unplaced, match=reason):
        fix(phrase)


def test_a_chain_tells_how_it_was_reached(fix):
    found = fix("20 km south of Palmyra, Syria")
    assert found.chain[0].startswith("Tadmur, Homs, Syria: by another name")
    assert found.chain[1:] == ("20 km south of it", "in Syria")


def test_a_country_hint_chooses(fix):
    assert fix("Tripoli", country="LBN").country == "LBN"
    assert not fix("Tripoli", country="LBN").ambiguous
    assert fix("the Syrian border", country="IRQ").name == "the Syria–Iraq border"


def test_one_clear_end_helps_the_other(fix):
    found = fix("between Tripoli and Beirut")
    assert found.country == "LBN"


def test_a_border_can_be_met_at_a_place(fix):
    found = fix("the Iraqi-Syrian border near Al-Qaim")
    assert found.precision is Precision.LINEAR
    assert found.uncertainty_km < 50
    assert apart_km(found.point, shapely.Point(41.0, 34.37)) < 20


def test_divisions_have_borders_too(fix):
    assert fix("the Anbar-Nineveh border").country == "IRQ"


def test_a_district_is_the_ground_around_its_town(fix):
    found = fix("cercle d'Ansongo")
    assert (found.precision, found.uncertainty_km) == (Precision.ADMIN2, 40.0)


def test_names_that_hold_a_direction_are_names(fix):
    assert fix("South Sudan").country == "SSD"
    assert fix("North Darfur").kind == "admin1"
    assert fix("جنوب السودان").country == "SSD"
    assert fix("south Sudan").country == "SSD"
    assert fix("southern Sudan").kind in {"part", "country"}


@pytest.mark.parametrize(
    ("phrase", "place"),
    [
        ("Baghdad", "settlement-98182"),
        ("in Iraq", "country-IRQ"),
        ("Anbar province", "admin1-IQ-AN"),
        ("Rutba, Anbar, Iraq", "settlement-98677"),
        ("Iraqi Kurdistan", "region-iraqi-kurdistan"),
        ("the Syrian-Jordanian border", "border-JOR-SYR"),
    ],
)
def test_a_phrase_that_is_a_place_has_its_id(fixer, phrase, place):
    found = fixer.fix(phrase)
    assert found.id == place
    again = fixer.place(place)
    assert (again.id, again.point, again.precision) == (place, found.point, found.precision)
    assert again.footprint.equals(found.footprint)


@pytest.mark.parametrize(
    "phrase",
    [
        "near Baghdad",
        "near the Jordan-Syria border",
        "40 km north of Homs",
        "40 km from Homs",
        "western Iraq",
        "north of Aleppo",
        "cercle d'Ansongo",
        "between Palmyra and Homs",
        "the Syrian side of the border with Iraq",
        "the Iraqi-Syrian border near Al-Qaim",
        "the borders of Syria",
        "the Anbar-Nineveh border",
        "33.31, 38.70",
    ],
)
def test_what_is_only_described_by_places_has_no_id_but_its_own_shape(fix, phrase):
    found = fix(phrase)
    assert found.id is None
    assert found.shape is not None


def test_an_id_in_a_phrase_is_that_place_and_no_other(fix):
    tripoli = fix("place:settlement-266826")
    assert (tripoli.id, tripoli.country, tripoli.ambiguous) == ("settlement-266826", "LBN", False)
    assert fix("place:settlement-266826", country="LBY").id == "settlement-266826"
    assert fix("40 km north of place:settlement-98182").name == "40 km north of Baghdad"
    assert fix("place:border-JOR-SYR").id == "border-JOR-SYR"
    assert fix("place:settlement-98182, Iraq").id == "settlement-98182"


@pytest.mark.parametrize(
    "place", ["settlement-1", "border-SYR-JOR", "border-CYP-LBN", "border-AAA-BBB", "Baghdad"]
)
def test_an_id_without_a_place_is_refused(fixer, place):
    with pytest.raises(Unplaced, match=r"no place has|no ground is"):
        fixer.fix(f"place:{place}")
    with pytest.raises(LookupError):
        fixer.place(place)


def test_no_rule_takes_a_single_word_apart(places):
    with closing(sqlite3.connect(places)) as rows:
        names = [name for (name,) in rows.execute("SELECT name FROM place WHERE number % 5 = 0")]
    bare = [name for name in names if name.replace("-", "").isalpha()]
    assert len(bare) > 20_000
    assert all(parse(name) == Name(plain(name)) for name in bare)
    assert all(rule(plain(name)) is None for name in bare[::20] for rule in RULES)


def test_an_id_elsewhere_than_said_is_refused(fix):
    with pytest.raises(Unplaced, match="not within"):
        fix("place:settlement-98182, Mali")
