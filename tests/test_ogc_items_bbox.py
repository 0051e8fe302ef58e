"""Events in a box: rows I11 to I15."""

import pytest

import oracle
from conftest import ITEMS, assert_problem
from oracle import PLACES, selected
from world import WORLD

ask = oracle.ask  # a fixture


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    "bbox",
    [
        "-180,-90,180,90",
        "-1.5,50,1.5,53",
        "-80,-5,-70,5",
        "177,65,-177,70",
        "-180,85,180,90",
        "-180,-90,180,-85",
        "-180.0000000,-90.0000000,180.0000000,-85.0000000",
        "177,-20,-171,11",
        "29.9999999,14.9999999,33.0000001,17.0000001",
    ],
)
def test_a_box_selects_what_lies_in_it(ask, bbox):
    box = [float(x) for x in bbox.split(",")]
    expected = selected(box=box)
    assert ask(bbox=bbox) == expected
    assert ask(bbox=bbox, limit=40) == expected


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    ("bbox", "inside"),
    [
        ("170,-90,-170,90", {"west edge", "east edge", "fiji", "samoa"}),
        ("170,-20,190,-10", {"fiji", "samoa"}),
        ("-190,-20,-170,-10", {"fiji", "samoa"}),
        ("175,-90,180,90", {"west edge", "east edge", "fiji"}),
        ("-180,-90,-175,90", {"west edge", "east edge"}),
        ("180,-90,-180,90", {"west edge", "east edge"}),
        ("180,10,180,11", {"west edge", "east edge"}),
        ("-180,10,-180,10", {"west edge"}),
        ("538,-19,539,-18", {"fiji"}),
        ("-540,10,-540,11", {"west edge", "east edge"}),
        ("-182,-20,-181.5,-18", {"fiji"}),
        ("-1,89,1,90", {"north pole"}),
        ("-180,-90,180,-90", {"south pole"}),
        ("0,0,0,0", {"null island"}),
        ("-70.7,-90,-70.7,90", {'O\'Higgins "quoted" \\ back'}),
    ],
)
def test_a_box_may_cross_the_antimeridian_or_be_wound_around_the_earth(ask, bbox, inside):
    placeless = {e["source_id"] for e in WORLD if "place" not in e}
    assert set(ask(bbox=bbox)) - placeless == inside


@pytest.mark.requirement("I11")
@pytest.mark.parametrize(
    "bbox", ["-200,-90,200,90", "-540,-90,540,90", "0,-90,360,90", "-180,-90,180,90"]
)
def test_a_box_as_wide_as_the_earth_is_the_earth(ask, bbox):
    assert len(ask(bbox=bbox)) == len(WORLD)


@pytest.mark.requirement("I12")
def test_heights_are_ignored(ask):
    assert ask(bbox="29,14,100,34,18,200") == ask(bbox="29,14,34,18")
    assert ask(bbox="177,65,5,-177,70,-5") == ask(bbox="177,65,-177,70")


@pytest.mark.requirement("I13")
@pytest.mark.parametrize(
    "bbox",
    [
        "",
        ",,,",
        "1,2,3",
        "1,2,3,4,5",
        "1,2,3,4,5,6,7",
        "a,b,c,d",
        "NaN,0,1,1",
        "0,nan,1,1",
        "-Infinity,-90,Infinity,90",
        "inf,0,1,1",
        "1e400,0,1,1",
        "0,0,1,-1e400",
        "0,0,541,1",
        "-540.0001,0,0,1",
        "0,1,1,0",
        "0,-91,1,1",
        "0,0,1,90.0001",
        "1_0,0,20,1",
        "０,0,1,1",
        "٠,0,1,1",
        "0x1,0,1,1",
        "0 0 1 1",
        "0;0;1;1",
        "0,0,1,1,",
        "(0,0,1,1)",
        "0,0,1,1\0",
        "0,0,NaN,1,1,NaN",
        "0,0,1e999,1,1,2",
        "1" + "0" * 400 + ",0,1,1",
    ],
    ids=lambda bbox: bbox[:40].replace("\0", "NUL") or "empty",
)
def test_a_box_that_is_none_is_refused(visitor, bbox):
    assert_problem(visitor.get(ITEMS, query_string={"bbox": bbox}), 400, parameter="bbox")


@pytest.mark.parametrize("bbox", ["29,14,34,18", "+29,14.,34.0,1.8e1", " 29, 14, 34, 18"])
def test_numbers_may_be_written_as_people_write_them(ask, bbox):
    assert ask(bbox=bbox) == selected(box=(29, 14, 34, 18))


@pytest.mark.requirement("I14")
def test_a_point_on_the_edge_of_a_box_is_in_it(ask):
    for x, y in set(PLACES):
        for box in [(x, y, x, y), (x, -90, x, 90), (-180, y, 180, y)]:
            assert ask(bbox=",".join(map(str, box))) == selected(box=box)


@pytest.mark.requirement("I15")
def test_an_event_without_a_place_is_in_every_box(ask):
    assert {"truce", "nowhere and never"} == set(ask(bbox="-120,-50,-119,-49"))
