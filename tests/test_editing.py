"""Writing events: created, replaced, changed, deleted, by those who may, and by nobody else."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest
import shapely
from shapely import Point

from api import keys
from api.identity import event_id
from api.keys import SCOPES
from conftest import ITEMS, assert_problem, opened
from geo.compass import apart_km

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
PATCH = "application/merge-patch+json"


@pytest.fixture(scope="module")
def desk(make_atlas, places):
    """A service of these tests' own, with a key for each scope and some together."""
    dsn = make_atlas()
    with psycopg.connect(dsn) as conn:
        made = {scope: keys.make(conn, scope, [scope])[1] for scope in SCOPES}
        made["reader"] = keys.make(conn, "reader", ["write", "read:restricted"])[1]
        made["importer"] = keys.make(conn, "importer", ["write", "import"])[1]
        made["other"] = keys.make(conn, "other", ["write"])[1]
    signed = {name: {"Authorization": f"Bearer {text}"} for name, text in made.items()}
    with opened(dsn, gazetteer=str(places)) as client:
        yield SimpleNamespace(dsn=dsn, client=client, keys=made, **signed)


@pytest.fixture
def rows(desk):
    """Ask the database."""
    with psycopg.connect(desk.dsn, autocommit=True) as conn:
        yield lambda statement, *values: conn.execute(statement, values).fetchall()


def feature(point=None, **properties):
    geometry = {"type": "Point", "coordinates": list(point)} if point else None
    properties = {"event_type": "Battles"} | properties
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def post(desk, sent, who=None, **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    headers = (who or desk.write) | headers
    text = json.dumps(sent)  # halves of surrogate pairs are escaped
    return desk.client.post(ITEMS, data=text, content_type="application/geo+json", headers=headers)


def made(desk, sent=None, who=None):
    """Create an event; return its path."""
    answer = post(desk, sent or feature(), who)
    assert answer.status_code == 201, answer.text
    return path_of(answer)


def path_of(answer):
    return answer.headers["Location"].removeprefix("http://localhost")


def patch(desk, path, who=None, headers=(), **sent):
    return desk.client.patch(
        path,
        data=json.dumps(sent),
        content_type=PATCH,
        headers=(who or desk.write) | dict(headers),
    )


def put(desk, path, sent, who=None, headers=()):
    return desk.client.put(path, json=sent, headers=(who or desk.write) | dict(headers))


def get(desk, path):
    answer = desk.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer


def pointers(answer):
    return {each["pointer"] for each in assert_problem(answer, 400)["errors"]}


def version(desk, path):
    return get(desk, path).json["properties"]["version"]


# Created.


@pytest.mark.requirement("E2")
def test_what_is_created_is_there_at_its_location(desk):
    answer = post(desk, feature((36.1, 33.2), notes="x", starts_on="2024-01-31"))
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"http://localhost{ITEMS}/")
    found = get(desk, path_of(answer))
    assert found.headers["ETag"] == answer.headers["ETag"]
    assert found.json["geometry"]["coordinates"] == [36.1, 33.2]
    assert found.json["properties"]["notes"] == "x"
    assert found.json["properties"]["dataset"] == "local"
    assert (answer.json["events"][0]["id"], answer.json["events"][0]["etag"]) == (
        found.json["id"],
        found.headers["ETag"],
    )


@pytest.mark.requirement("E2")
def test_the_server_makes_the_id(desk):
    other = str(uuid4())
    path = made(desk, feature() | {"id": other})
    assert not path.endswith(other)
    found = get(desk, path).json
    assert found["id"] == str(event_id("local", found["properties"]["source_id"]))


def test_many_are_created_in_their_order(desk):
    sent = {"type": "FeatureCollection", "features": [feature(notes=str(n)) for n in range(5)]}
    answer = post(desk, sent)
    assert answer.status_code == 201
    paths = [each["href"].removeprefix("http://localhost") for each in answer.json["events"]]
    found = [get(desk, path) for path in paths]
    assert [one.json["properties"]["notes"] for one in found] == list("01234")
    assert [one.headers["ETag"] for one in found] == [e["etag"] for e in answer.json["events"]]


def test_of_many_all_are_created_or_none(desk, rows):
    before = rows("SELECT count(*) FROM event")
    good, bad = feature(), feature(fatalities_best="3", tags="x")
    answer = post(desk, {"type": "FeatureCollection", "features": [good, bad, bad]})
    assert pointers(answer) == {
        f"/features/{n}/properties/{name}" for n in (1, 2) for name in ("fatalities_best", "tags")
    }
    assert rows("SELECT count(*) FROM event") == before


def test_more_than_a_thousand_at_once_are_too_many(desk):
    features = [feature() for _ in range(1001)]
    answer = post(desk, {"type": "FeatureCollection", "features": features})
    assert pointers(answer) == {"/features"}
    answer = post(desk, {"type": "FeatureCollection", "features": features[1:]})
    assert answer.status_code == 201
    assert len({each["id"] for each in answer.json["events"]}) == 1000


# Who may.


@pytest.mark.parametrize("name", [None, *SCOPES])
def test_only_who_may_write_writes(desk, name):
    path = made(desk)
    headers = desk.__dict__[name] if name else {}
    answers = [
        desk.client.post(ITEMS, json=feature(), headers=headers),
        desk.client.put(path, json=feature(), headers=headers),
        desk.client.patch(path, data="{}", content_type=PATCH, headers=headers),
        desk.client.delete(path, headers=headers),
    ]
    statuses = [answer.status_code for answer in answers]
    if name in {"write", "admin"}:
        assert statuses == [201, 200, 200, 204]
    else:
        assert statuses == 4 * [403 if name else 401]


def test_who_only_writes_cannot_choose_ids_nor_ask_for_them(desk):
    hidden = feature(source_id=str(uuid4()), visibility="restricted")
    assert post(desk, hidden, desk.reader).status_code == 201
    for source_id in (hidden["properties"]["source_id"], str(uuid4())):
        answer = post(desk, feature(source_id=source_id))
        assert pointers(answer) == {"/properties/source_id"}
    assert_problem(post(desk, hidden, desk.reader), 409, type="urn:hudna:problem:exists")
    assert_problem(post(desk, hidden, desk.importer), 409)


def test_two_features_of_one_body_are_not_the_same_event(desk):
    sent = {"type": "FeatureCollection", "features": 2 * [feature(source_id=str(uuid4()))]}
    assert pointers(post(desk, sent, desk.reader)) == {"/features/1/properties/source_id"}


def test_an_event_that_was_deleted_comes_back_as_its_next_version(desk):
    sent = feature(source_id=str(uuid4()), notes="again")
    path = made(desk, sent, desk.reader)
    assert desk.client.delete(path, headers=desk.write).status_code == 204
    assert made(desk, sent, desk.reader) == path
    assert version(desk, path) == 3


def test_what_is_hidden_is_not_there_for_who_may_not_see_it(desk, rows):
    path = made(desk, feature(notes="canary", visibility="restricted"))
    nowhere = f"{ITEMS}/{uuid4()}"

    def told(answer):
        return answer.status_code, answer.text.replace(path, "").replace(nowhere, "")

    for headers in ({}, {"If-Match": "*"}):
        for ask in (
            lambda at, h=headers: put(desk, at, feature(), headers=h),
            lambda at, h=headers: patch(desk, at, headers=h, properties={"notes": "x"}),
            lambda at, h=headers: desk.client.delete(at, headers=desk.write | h),
        ):
            assert told(ask(path)) == told(ask(nowhere))
    answer = patch(desk, path, desk.reader, properties={"notes": "seen"})
    assert answer.status_code == 200
    assert rows("SELECT notes FROM event WHERE id = %s", path.rpartition("/")[2]) == [("seen",)]


def test_the_history_names_the_key(desk, rows):
    path = made(desk)
    patch(desk, path, desk.other, properties={"notes": "x"})
    assert rows(
        "SELECT actor, action, new_version FROM event_change WHERE event_id = %s ORDER BY seq",
        path.rpartition("/")[2],
    ) == [("write", "create", 1), ("other", "update", 2)]


# What may be written.


@pytest.mark.requirement("E9")
@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ([], ""),
        ("x", ""),
        ({}, "/type"),
        (feature() | {"type": "feature"}, "/type"),
        (feature() | {"colour": 1}, "/colour"),
        ({"type": "Feature", "properties": {"event_type": "Riots"}}, "/geometry"),
        (feature() | {"geometry": {"type": "Polygon", "coordinates": []}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": ["1", 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [181, 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [10**400, 2]}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": []}}, "/geometry"),
        (feature() | {"geometry": {"type": "Point", "coordinates": [1, 2], "x": 1}}, "/geometry"),
        (feature(event_type="Party"), "/properties/event_type"),
        (feature(event_type=None), "/properties/event_type"),
        (feature(contry="IRQ"), "/properties/contry"),
        (feature(country="irq"), "/properties/country"),
        (feature(country="IRQ\n"), "/properties/country"),
        (feature(notes=3), "/properties/notes"),
        (feature(notes="a\0b"), "/properties/notes"),
        (feature(notes="\ud800"), "/properties/notes"),
        (feature(place_name="x" * 301), "/properties/place_name"),
        (feature(fatalities_best=-1), "/properties/fatalities_best"),
        (feature(fatalities_best=1.5), "/properties/fatalities_best"),
        (feature(fatalities_best=True), "/properties/fatalities_best"),
        (feature(fatalities_best=2**31), "/properties/fatalities_best"),
        (feature(fatalities_best=10**400), "/properties/fatalities_best"),
        (feature(uncertainty_km=-0.1), "/properties/uncertainty_km"),
        (feature(starts_on="2024-13-01"), "/properties/starts_on"),
        (feature(starts_on="2024-01-31T"), "/properties/starts_on"),
        (feature(starts_on="0001-01-01"), "/properties/starts_on"),
        (feature(starts_on="2024-02-01", ends_on="2024-01-31"), "/properties/ends_on"),
        (feature(tags={"a": 1}), "/properties/tags"),
        (feature(tags=["a", 1]), "/properties/tags/1"),
        (feature(tags=["a", None]), "/properties/tags/1"),
        (feature(actors=[{"name": "x"}]), "/properties/actors/0/role"),
        (feature(actors=[{"name": "x", "role": "party", "y": 1}]), "/properties/actors/0/y"),
        (feature(reports=[{"url": "javascript:x"}]), "/properties/reports/0/url"),
        (feature(reports=["x"]), "/properties/reports/0"),
        (feature(dataset="a b"), "/properties/dataset"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_its_place(desk, sent, where):
    assert where in {at.removesuffix("/_schema") for at in pointers(post(desk, sent))}


@pytest.mark.requirement("E9")
@pytest.mark.parametrize(
    ("text", "media", "status"),
    [
        ("{", "application/json", 400),
        ('{"type": NaN}', "application/json", 400),
        ('{"type": 1e400}', "application/json", 400),
        ('{"type": "Feature", "type": "Feature"}', "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ("1" * 5000, "application/json", 400),
        ("{}", "text/plain", 415),
        ("a=b", "application/x-www-form-urlencoded", 415),
        ("{}", PATCH, 415),
        (" " * (8 << 20) + "{}", "application/json", 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_body_is_refused(desk, text, media, status):
    answer = desk.client.post(ITEMS, data=text, content_type=media, headers=desk.write)
    assert_problem(answer, status)


def test_all_that_is_wrong_is_told_at_once(desk):
    sent = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [200, 1]},
        "footprint": {"type": "Point", "coordinates": [1, 1]},
        "properties": {"event_typ": "Battles", "starts_on": "2024-13-01"},
    }
    properties = ("event_type", "event_typ", "starts_on")
    told = {"/geometry", "/footprint", *(f"/properties/{name}" for name in properties)}
    assert pointers(post(desk, sent)) == told


def test_a_compressed_body_is_refused(desk):
    assert_problem(post(desk, feature(), Content_Encoding="gzip"), 415)


def test_names_as_long_as_may_be_fit_into_every_index(desk):
    """Four bytes a letter, and none like another, so that nothing can be packed."""
    letters = "".join(chr(0x20000 + 7 * n) for n in range(400))
    actors = [{"name": letters[at : at + 200], "role": "party"} for at in (0, 200)]
    sent = feature(actors=actors, admin1=letters[150:250], dataset="d" * 63, geocoder="none")
    assert post(desk, sent).status_code == 201


@pytest.mark.parametrize("name", ["status", "actor1", "actor2", "version", "updated_at"])
def test_what_the_server_sets_is_ignored(desk, name):
    path = made(desk, feature(**{name: "anything"}))
    assert get(desk, path).json["properties"][name] != "anything"


def test_a_property_that_is_null_is_as_if_it_were_not_there(desk):
    names = get(desk, made(desk)).json["properties"]
    path = made(desk, feature(**{name: None for name in names if name != "event_type"}))
    again = get(desk, path).json["properties"]
    for name in names.keys() - {"source_id", "updated_at"}:
        assert again[name] == names[name]


# Places.


def test_a_place_without_a_point_is_looked_up_by_its_name(desk):
    answer = post(desk, feature(place_name="Rutba, Anbar"))
    assert answer.json["events"][0]["remarks"] == ["placed by name"]
    found = get(desk, path_of(answer)).json
    assert found["geometry"]["coordinates"] == pytest.approx([40.28, 33.04], abs=0.1)
    assert (found["properties"]["country"], found["properties"]["geocoder"]) == ("IRQ", "hudna")


def test_a_name_that_may_mean_several_places_is_refused_with_them(desk):
    sent = {"type": "FeatureCollection", "features": [feature(), feature(place_name="Tripoli")]}
    body = assert_problem(post(desk, sent), 400)
    (error,) = body["errors"]
    assert error["pointer"] == "/features/1/properties/place_name"
    first = error["candidates"][0]["name"]
    assert post(desk, feature(place_name=first)).status_code == 201
    unplaced = get(desk, made(desk, feature(place_name="Tripoli", geocoder="none"))).json
    assert unplaced["geometry"] is None


def test_without_a_gazetteer_an_event_stays_without_a_point(desk, tmp_path):
    with opened(desk.dsn, gazetteer=str(tmp_path / "none.sqlite")) as client:
        answer = client.post(ITEMS, json=feature(place_name="Rutba, Anbar"), headers=desk.write)
    assert answer.json["events"][0]["remarks"] == ["no gazetteer"]
    assert get(desk, path_of(answer)).json["geometry"] is None


def footprint(desk, path):
    return shapely.geometry.shape(get(desk, f"{path}?geometry=footprint").json["geometry"])


def test_the_ground_follows_the_place(desk):
    path = made(desk, feature((44.4, 33.3), geo_precision="near"))
    first = footprint(desk, path)
    assert first.contains(Point(44.4, 33.3))
    patch(desk, path, properties={"notes": "x"})
    assert footprint(desk, path).equals(first)
    patch(desk, path, geometry={"type": "Point", "coordinates": [40, 30]})
    assert footprint(desk, path).contains(Point(40, 30))
    assert not footprint(desk, path).intersects(first)


def test_another_name_is_looked_up_anew_if_the_point_was_found_by_the_name(desk):
    path = made(desk, feature(place_name="Rutba, Anbar"))
    patch(desk, path, properties={"place_name": "Palmyra, Syria"})
    assert get(desk, path).json["properties"]["country"] == "SYR"
    given = made(desk, feature((40, 30), place_name="Rutba, Anbar"))
    patch(desk, given, properties={"place_name": "Palmyra, Syria"})
    assert get(desk, given).json["geometry"]["coordinates"] == [40, 30]


def test_a_footprint_of_its_own_is_kept(desk):
    ground = shapely.box(40, 30, 41, 31)
    sent = feature((40.5, 30.5)) | {"footprint": shapely.geometry.mapping(ground)}
    path = made(desk, sent)
    assert footprint(desk, path).equals(ground)
    put(desk, path, get(desk, path).json)
    assert footprint(desk, path).equals(ground)


@pytest.mark.parametrize(
    "corners",
    [
        [[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]],
        [[0, 0], [1, 1], [1, 0]],
        [[n / 1e4, (n % 2) / 10] for n in range(10_001)] + [[0, 0]],
        [[170, 0], [190, 0], [190, 1], [170, 0]],
    ],
    ids=["bow", "open", "long", "wound"],
)
def test_a_footprint_that_is_none_is_refused(desk, corners):
    sent = feature((0, 0)) | {"footprint": {"type": "Polygon", "coordinates": [corners]}}
    assert pointers(post(desk, sent)) == {"/footprint"}


# Exact places.


def test_of_an_exact_place_only_the_cell_is_published(desk, rows):
    published = []
    for shift in (0, 0.001, 0.002):
        sent = feature(uncertainty_km=20, geo_precision="exact", place_name="Damascus")
        exact = Point(36.3 + shift, 33.51)
        path = made(desk, sent | {"exact_geometry": shapely.geometry.mapping(exact)})
        found = get(desk, path).json
        point = shapely.geometry.shape(found["geometry"])
        assert 0.1 < apart_km(point, exact) <= 20
        assert found["properties"]["geo_precision"] == "near"
        assert footprint(desk, path).contains(exact)
        published.append(found["geometry"])
        ((kept,),) = rows(
            "SELECT ST_AsText(geom) FROM event_exact WHERE event_id = %s", found["id"]
        )
        assert kept == exact.wkt.replace("POINT (", "POINT(")
    assert published == 3 * published[:1]


def test_an_exact_place_needs_to_be_told_how_far_off(desk):
    sent = feature() | {"exact_geometry": {"type": "Point", "coordinates": [36, 33]}}
    assert pointers(post(desk, sent)) == {"/properties/uncertainty_km"}


def test_an_exact_place_stays_until_the_point_is_moved(desk, rows):
    sent = feature(uncertainty_km=20) | {
        "exact_geometry": {"type": "Point", "coordinates": [36, 33]}
    }
    path = made(desk, sent)
    put(desk, path, get(desk, path).json)
    patch(desk, path, properties={"notes": "x", "uncertainty_km": 1})
    kept = "SELECT count(*) FROM event_exact WHERE event_id = %s"
    assert rows(kept, path.rpartition("/")[2]) == [(1,)]
    assert apart_km(shapely.geometry.shape(get(desk, path).json["geometry"]), Point(36, 33)) > 1
    patch(desk, path, geometry={"type": "Point", "coordinates": [30, 30]})
    assert rows(kept, path.rpartition("/")[2]) == [(0,)]


# Replaced and changed.


@pytest.mark.requirement("E3")
def test_what_is_replaced_is_what_was_sent(desk):
    path = made(desk, feature((30, 20), notes="old", tags=["a"]))
    answer = put(desk, path, feature((31, 21), event_type="Riots") | {"id": "another"})
    assert answer.status_code == 200
    found = get(desk, path)
    assert found.headers["ETag"] == answer.headers["ETag"]
    assert found.json["properties"] == answer.json["properties"]
    assert (found.json["properties"]["notes"], found.json["properties"]["tags"]) == (None, [])
    assert found.json["geometry"]["coordinates"] == [31, 21]


@pytest.mark.requirement("E3")
def test_what_is_sent_back_as_it_came_makes_no_new_version(desk):
    sent = feature(place_name="Rutba, Anbar", reports=[{"quote": "x"}], uncertainty_km=3.3)
    path = made(desk, sent)
    before = get(desk, path)
    answer = put(desk, path, before.json)
    assert answer.headers["ETag"] == before.headers["ETag"]
    assert get(desk, path).json["properties"] == before.json["properties"]


@pytest.mark.requirement("E3")
def test_what_is_not_there_is_not_replaced(desk):
    nowhere = f"{ITEMS}/{uuid4()}"
    for path in (nowhere, f"{ITEMS}/unknown_id"):
        assert_problem(put(desk, path, feature()), 404)
        assert_problem(put(desk, path, feature(), headers={"If-Match": "*"}), 412)
    assert desk.client.get(nowhere).status_code == 404


@pytest.mark.requirement("E3", "E4")
@pytest.mark.parametrize("name", ["dataset", "source_id"])
def test_what_an_event_is_cannot_be_changed(desk, name):
    path = made(desk)
    assert pointers(put(desk, path, feature(**{name: "other"}))) == {f"/properties/{name}"}
    assert pointers(patch(desk, path, properties={name: "other"})) == {f"/properties/{name}"}
    assert patch(desk, path, properties={name: None}).status_code == 200


def test_who_may_see_it_stays_unless_it_is_said(desk, rows):
    path = made(desk, feature(visibility="restricted"))
    assert put(desk, path, feature(notes="x"), desk.reader).status_code == 200
    query = "SELECT visibility FROM event WHERE id = %s"
    assert rows(query, path.rpartition("/")[2]) == [("restricted",)]
    assert put(desk, path, feature(visibility="public"), desk.reader).status_code == 200
    assert version(desk, path) == 3


@pytest.mark.requirement("E4")
def test_a_patch_changes_what_it_names(desk):
    path = made(desk, feature((30, 20), notes="old", sub_event_type="x", tags=["a", "b"]))
    answer = patch(desk, path, properties={"notes": None, "tags": ["c"]})
    assert answer.status_code == 200
    found = get(desk, path).json
    kept = found["properties"]
    assert (kept["notes"], kept["sub_event_type"], kept["tags"]) == (None, "x", ["c"])
    assert found["geometry"]["coordinates"] == [30, 20]
    patch(desk, path, geometry={"type": "Point", "coordinates": [31, 21]})
    assert get(desk, path).json["geometry"]["coordinates"] == [31, 21]
    assert get(desk, path).json["properties"]["tags"] == ["c"]


@pytest.mark.requirement("E4")
def test_what_is_required_cannot_be_taken_away(desk):
    answer = patch(desk, made(desk), properties={"event_type": None})
    assert pointers(answer) == {"/properties/event_type"}


@pytest.mark.requirement("E4")
def test_an_interval_is_looked_at_as_a_whole(desk):
    path = made(desk, feature(starts_on="2024-02-01"))
    assert pointers(patch(desk, path, properties={"ends_on": "2024-01-31"})) == {
        "/properties/ends_on"
    }


# Deleted.


@pytest.mark.requirement("E5")
def test_what_is_deleted_is_gone(desk):
    path = made(desk, feature(notes="x"))
    assert desk.client.delete(path, headers=desk.write).status_code == 204
    assert_problem(desk.client.get(path), 410)
    assert_problem(desk.client.delete(path, headers=desk.write), 410)
    assert_problem(put(desk, path, feature()), 410)
    assert_problem(desk.client.delete(f"{ITEMS}/{uuid4()}", headers=desk.write), 404)


def test_only_administrators_erase_and_it_is_audited(desk, rows):
    path = made(desk, feature(notes="secret"))
    patch(desk, path, properties={"notes": "other"})
    assert_problem(desk.client.delete(f"{path}?erase=true", headers=desk.write), 403)
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204
    event = path.rpartition("/")[2]
    assert rows(
        "SELECT count(*) FROM event_version WHERE id = %s AND notes IS NOT NULL", event
    ) == [(0,)]
    assert rows("SELECT actor, action FROM audit WHERE subject = %s", event) == [
        ("admin", "event erased")
    ]
    assert desk.client.delete(f"{path}?erase=true", headers=desk.admin).status_code == 204


# Reference systems.


@pytest.mark.requirement("E6")
@pytest.mark.parametrize("wrapped", ["<{}>", "{}"])
@pytest.mark.parametrize(
    ("code", "point"), [("4326", (33.2, 36.1)), ("3857", (4018633.6, 3921880.8))]
)
def test_coordinates_are_read_in_the_system_that_is_named(desk, wrapped, code, point):
    answer = post(desk, feature(point), Content_Crs=wrapped.format(EPSG + code))
    assert answer.status_code == 201, answer.text
    found = get(desk, path_of(answer)).json["geometry"]["coordinates"]
    assert found == pytest.approx([36.1, 33.2], abs=1e-3)


@pytest.mark.requirement("E6")
def test_an_unknown_system_is_refused(desk):
    for named in ("<http://www.opengis.net/def/crs/EPSG/0/1>", "4326", "<>", ""):
        assert_problem(post(desk, feature((1, 2)), Content_Crs=named), 400)
    answer = post(desk, feature((95, 2)), Content_Crs=f"<{EPSG}4326>")
    assert pointers(answer) == {"/geometry"}


# Versions.


@pytest.mark.requirement("E7")
def test_a_change_of_what_has_changed_since_is_refused_and_changes_nothing(desk):
    path = made(desk)
    seen = {"If-Match": get(desk, path).headers["ETag"]}
    assert patch(desk, path, headers=seen, properties={"notes": "first"}).status_code == 200
    for answer in (
        patch(desk, path, headers=seen, properties={"notes": "second"}),
        put(desk, path, feature(notes="second"), headers=seen),
        desk.client.delete(path, headers=desk.write | seen),
        patch(desk, path, headers={"If-Match": "nonsense"}, properties={"notes": "second"}),
        patch(desk, path, headers={"If-Match": ""}, properties={"notes": "second"}),
    ):
        assert_problem(answer, 412, type="urn:hudna:problem:stale")
    assert get(desk, path).json["properties"]["notes"] == "first"


@pytest.mark.requirement("E7")
@pytest.mark.parametrize(
    "query", ["", "?crs=http://www.opengis.net/def/crs/EPSG/0/3857", "?f=html"]
)
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_the_tag_of_any_representation_names_the_version(desk, query, coding):
    path = made(desk)
    found = desk.client.get(path + query, headers={"Accept-Encoding": coding})
    tags = f'"x", {found.headers["ETag"]}'
    assert (
        patch(desk, path, headers={"If-Match": tags}, properties={"notes": "x"}).status_code == 200
    )
    weak = f"W/{get(desk, path).headers['ETag']}"
    assert (
        patch(desk, path, headers={"If-Match": weak}, properties={"notes": "y"}).status_code == 200
    )
    assert (
        patch(desk, path, headers={"If-Match": "*"}, properties={"notes": "z"}).status_code == 200
    )


@pytest.mark.requirement("E7")
def test_the_server_may_want_a_version(desk):
    path = made(desk)
    with opened(desk.dsn, require_if_match=1) as client:
        answer = client.delete(path, headers=desk.write)
        assert_problem(answer, 428, type="urn:hudna:problem:if-match-required")
        seen = {"If-Match": client.get(path).headers["ETag"]}
        assert client.delete(path, headers=desk.write | seen).status_code == 204


@pytest.mark.requirement("E7")
def test_fifty_writers_lose_nothing(desk):
    path = made(desk, feature(fatalities_best=0))

    def add(_):
        client, tries = desk.client.application.test_client(), 0
        while True:
            tries += 1
            found = client.get(path)
            number = found.json["properties"]["fatalities_best"] + 1
            answer = client.patch(
                path,
                data=json.dumps({"properties": {"fatalities_best": number}}),
                content_type=PATCH,
                headers=desk.write | {"If-Match": found.headers["ETag"]},
            )
            assert answer.status_code in {200, 412, 503}, answer.text
            if answer.status_code == 200:
                return tries

    with ThreadPoolExecutor(8) as writers:
        tries = list(writers.map(add, range(50)))
    found = get(desk, path).json["properties"]
    assert (found["fatalities_best"], found["version"]) == (50, 51)
    assert sum(tries) > 50, "nobody was in another's way: this tests nothing"


# Requests that come twice.


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_request_that_comes_again_is_answered_as_before_and_done_once(desk, method, rows):
    path = made(desk)
    named = desk.write | {"Idempotency-Key": str(uuid4())}
    sent = {"properties": {"notes": "x"}} if method == "PATCH" else feature(notes="x")
    media = PATCH if method == "PATCH" else "application/geo+json"

    def send(body=sent, headers=named):
        at = ITEMS if method == "POST" else path
        text = None if method == "DELETE" else json.dumps(body)
        return desk.client.open(at, method=method, data=text, content_type=media, headers=headers)

    def told(answer):
        kept = ("ETag", "Location", "Content-Type")
        body = {**(answer.json or {}), "remarks": None} if answer.data else None
        return answer.status_code, [answer.headers.get(name) for name in kept], body

    first = send()
    head = rows("SELECT head FROM feed.state")
    assert first.status_code < 300
    assert told(send()) == told(first)
    assert rows("SELECT head FROM feed.state") == head
    if method != "DELETE":
        other = {"properties": {"notes": "y"}} if method == "PATCH" else feature(notes="y")
        answer = send(other)
        assert_problem(answer, 422, type="urn:hudna:problem:key-reused")
    mine = send(headers=named | desk.other)
    assert mine.status_code < 300 or method == "DELETE", "a key is its caller's own"


def test_an_error_is_not_kept(desk):
    named = {"Idempotency_Key": str(uuid4())}
    assert_problem(post(desk, feature(notes=1), **named), 400)
    assert post(desk, feature(notes="1"), **named).status_code == 201


def test_a_hundred_at_once_under_one_name_make_one_event(desk, rows):
    named = desk.write | {"Idempotency-Key": str(uuid4())}
    notes = str(uuid4())

    def send(_):
        client = desk.client.application.test_client()
        return client.post(ITEMS, json=feature(notes=notes), headers=named)

    with ThreadPoolExecutor(16) as senders:
        answers = list(senders.map(send, range(100)))
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    made_ids = {a.json["events"][0]["id"] for a in answers if a.status_code == 201}
    assert len(made_ids) == 1
    assert rows("SELECT count(*) FROM event WHERE notes = %s", notes) == [(1,)]


def test_what_is_kept_of_an_answer_has_no_content(desk, rows):
    post(desk, feature(notes="canary", place_name="Rutba, Anbar"), Idempotency_Key="content")
    kept = str(rows("SELECT answer::text FROM idempotency WHERE key = 'content'"))
    assert "placed by name" in kept
    assert "canary" not in kept
    assert "Rutba" not in kept


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_name_of_a_request_has_its_bounds(desk, key):
    assert_problem(post(desk, feature(), Idempotency_Key=key), 400)


# What may be done.


@pytest.mark.requirement("E1")
@pytest.mark.parametrize("path", [f"{ITEMS}/unknown_id", f"{ITEMS}/{UUID(int=7)}"])
def test_options_tell_what_this_caller_may_do(desk, path):
    def allowed(at, headers):
        answer = desk.client.options(at, headers=headers)
        assert answer.status_code == 200
        return set(answer.headers["Allow"].split(", "))

    reads = {"GET", "HEAD", "OPTIONS"}
    for headers in ({}, desk.__dict__["read:restricted"]):
        assert allowed(ITEMS, headers) == allowed(path, headers) == reads
    for headers in (desk.write, desk.admin):
        assert allowed(ITEMS, headers) == reads | {"POST"}
        assert allowed(path, headers) == reads | {"PUT", "PATCH", "DELETE"}
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    answer = desk.client.options(path, headers=preflight)
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"].split(", ")
