"""The codes of Gleditsch and Ward as ISO has them."""

import csv
import os
from pathlib import Path

import pytest

import geo
from geo.countries import alpha3_of_gw

TABLE = Path(geo.__file__).parent / "gleditsch_ward.csv"
REAL = os.environ.get("HUDNA_REAL_DATA")


@pytest.mark.parametrize(
    ("code", "alpha3"),
    [
        (2, "USA"),
        (260, "DEU"),
        (265, "DEU"),
        (255, "DEU"),
        (340, "SRB"),
        (345, "SRB"),
        (347, "XKX"),
        (365, "RUS"),
        (490, "COD"),
        (484, "COG"),
        (626, "SSD"),
        (645, "IRQ"),
        (652, "SYR"),
        (678, "YEM"),
        (680, "YEM"),
        (816, "VNM"),
        (817, "VNM"),
        (315, None),
    ],
)
def test_a_code_has_the_country_that_ucdp_means(code, alpha3):
    assert alpha3_of_gw(code) == alpha3


@pytest.mark.parametrize("code", [0, 1, 730, 999, 679])
def test_a_code_that_no_state_has_is_an_error(code):
    with pytest.raises(LookupError, match=str(code)):
        alpha3_of_gw(code)


def test_the_table_is_in_order_and_its_codes_are_well_formed():
    with TABLE.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    codes = [int(row["code"]) for row in rows]
    assert codes == sorted(set(codes))
    assert all(row["name"] for row in rows)
    for alpha3 in filter(None, (row["alpha3"] for row in rows)):
        assert len(alpha3) == 3
        assert alpha3.isascii()
        assert alpha3.isupper()


@pytest.mark.skipif(not REAL, reason="HUDNA_REAL_DATA does not name a folder of UCDP's own files")
def test_every_country_of_the_real_files_is_known():
    for path in Path(REAL).glob("ucdp_ged_*.csv"):
        with path.open(encoding="utf-8", newline="") as table:
            codes = {int(row["country_id"]) for row in csv.DictReader(table)}
        assert all(alpha3_of_gw(code) for code in codes)
