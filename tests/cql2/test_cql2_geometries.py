"""What PostGIS makes of a filter on geometries, and the indexes that serve."""

import cql2_table
import pytest
import shapely
from cql2_table import TABLE, compiled
from psycopg.sql import SQL

from api.cql2 import Cql2Error, Reading

ask = cql2_table.ask  # a fixture


def places(*wkts):
    return [{"place": wkt and f"SRID=4326;{wkt}"} for wkt in wkts]


@pytest.mark.requirement("Q14")
def test_a_box_may_cross_the_antimeridian(ask):
    rows = places("POINT(179 0)", "POINT(-179 0)", "POINT(0 0)", "POINT(180 0)", None)
    assert ask("S_INTERSECTS(place, BBOX(170, -5, -170, 5))", *rows) == [0, 1, 3]
    assert ask("NOT S_INTERSECTS(place, BBOX(170, -5, -170, 5))", *rows) == [2]


def test_a_box_may_be_a_line_or_a_point_and_have_heights(ask):
    rows = places("POINT(1 2)", "POINT(1 3)")
    assert ask("S_INTERSECTS(place, BBOX(1, 2, 1, 2))", *rows) == [0]
    assert ask("S_INTERSECTS(place, BBOX(1, 0, 1, 9))", *rows) == [0, 1]
    assert ask("S_INTERSECTS(place, BBOX(0, 0, -50, 5, 2.5, 50))", *rows) == [0]
    assert ask("S_EQUALS(place, POINT Z(1 2 3))", *rows) == [0]


def test_a_collection_is_what_its_parts_are_together(ask):
    rows = places("POLYGON((0 0, 2 0, 2 1, 0 1, 0 0))")
    halves = "POLYGON((0 0, 1 0, 1 1, 0 1, 0 0)), POLYGON((1 0, 2 0, 2 1, 1 1, 1 0))"
    assert ask(f"S_EQUALS(place, GEOMETRYCOLLECTION({halves}, POINT(0 0)))", *rows) == [0]
    assert ask("S_INTERSECTS(place, GEOMETRYCOLLECTION(POINT(9 9), POINT(1 1)))", *rows) == [0]
    with pytest.raises(Cql2Error, match="S_TOUCHES takes no collection"):
        ask("S_TOUCHES(place, GEOMETRYCOLLECTION(POINT(9 9), LINESTRING(0 0, 1 1)))")


def swapped(geometry):
    return shapely.transform(geometry, lambda positions: positions[:, ::-1])


def test_literals_are_read_in_the_filters_reference_system(ask):
    rows = places("POINT(40 10)", "POINT(179 0)", "POINT(-179 0)")
    reading = Reading(transform=swapped)
    assert ask("S_EQUALS(place, POINT(10 40))", *rows, reading=reading) == [0]
    assert ask("S_WITHIN(place, BBOX(9, 39, 11, 41))", *rows, reading=reading) == [0]
    assert ask("S_WITHIN(place, BBOX(-5, 170, 5, -170))", *rows, reading=reading) == [1, 2]


def test_a_box_in_a_plane_is_transformed_as_an_area(ask):
    rows = places("POINT(40 10)", "POINT(1 1)")
    metres = Reading(transform=lambda g: shapely.transform(g, lambda p: p / 100_000), upright=False)
    assert ask("S_INTERSECTS(place, BBOX(3999999, 0, 4000001, 2e6))", *rows, reading=metres) == [0]
    with pytest.raises(Cql2Error, match="lower corner"):
        ask("S_INTERSECTS(place, BBOX(5, 0, 1, 1))", reading=metres)


@pytest.mark.parametrize("error", [ValueError("no"), ZeroDivisionError(), OverflowError()])
def test_what_cannot_be_transformed_is_an_error_with_its_place(error):
    def fail(_):
        raise error

    with pytest.raises(Cql2Error, match="cannot be read") as caught:
        compiled("S_WITHIN(place, POINT(1 2))", reading=Reading(transform=fail))
    assert caught.value.position.offset == 16
    far = Reading(transform=lambda g: shapely.transform(g, lambda p: p + float("inf")))
    with pytest.raises(Cql2Error, match="cannot be read"):
        compiled("S_WITHIN(place, POINT(1 2))", reading=far)


def test_a_geometry_that_crosses_itself_is_refused():
    with pytest.raises(Cql2Error, match="not valid: Self-intersection"):
        compiled("S_WITHIN(place, POLYGON((0 0, 2 2, 2 0, 0 2, 0 0)))")


def test_indexes_serve(conn):
    conn.execute(TABLE)
    conn.execute(
        "INSERT INTO thing (id, low, name, born, began, place, tags) SELECT i, i, i,"
        " date '2000-01-01' + i % 9000, timestamptz 'epoch' + i * interval '1 hour',"
        " ST_Point(i % 360 - 180, i % 180 - 90, 4326), ARRAY[i::text]"
        " FROM generate_series(1, 20000) AS i"
    )
    for index in ("(low)", "(name)", "(born)", "(began)", "USING gist (place)", "USING gin (tags)"):
        conn.execute(SQL("CREATE INDEX ON thing ") + SQL(index))
    conn.execute("ANALYZE thing")
    conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    for text in (
        "low = 5",
        "low IN (5, 6)",
        "low BETWEEN 5 AND 6",
        "name = 'x'",
        "name IN ('x', 'y')",
        "born = DATE('2001-01-01')",
        "born < TIMESTAMP('2000-01-02T00:00:00Z')",
        "began < DATE('1970-01-02')",
        "T_INTERSECTS(born, INTERVAL('2001-01-01', '2001-01-02'))",
        "T_INTERSECTS(began, INTERVAL('1970-01-01', '1970-01-02'))",
        *(f"S_{name}(place, BBOX(1, 2, 3, 4))" for name in ("INTERSECTS", "WITHIN", "EQUALS")),
        "S_INTERSECTS(place, BBOX(179, 2, -179, 4))",
        "A_CONTAINS(tags, ('x'))",
        "A_EQUALS(tags, ('x'))",
        "A_OVERLAPS(tags, ('x', 'y'))",
    ):
        made = compiled(text)
        statement = SQL("EXPLAIN SELECT * FROM thing WHERE {}").format(made.sql)
        plan = "\n".join(row[0] for row in conn.execute(statement, made.values))
        assert "Seq Scan" not in plan, f"{text}\n{plan}"
