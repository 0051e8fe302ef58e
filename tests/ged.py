"""Rows in UCDP's layout, all of them invented."""

import csv
import io

from api.importers.ucdp import COLUMNS

#: The columns of the files until 2019, in their order.
OLD_COLUMNS = (
    *("id", "year", "active_year", "type_of_violence", "conflict_new_id", "conflict_name"),
    *("dyad_new_id", "dyad_name", "side_a_new_id", "side_a", "side_b_new_id", "gwnob", "side_b"),
    *("number_of_sources", "source_article", "source_office", "source_date", "source_headline"),
    *("source_original", "where_prec", "where_coordinates", "adm_1", "adm_2", "latitude"),
    *("longitude", "geom_wkt", "priogrid_gid", "country", "country_id", "region"),
    *("event_clarity", "date_prec", "date_start", "date_end"),
    *("deaths_a", "deaths_b", "deaths_civilians", "deaths_unknown", "low", "best", "high"),
)

ROW = {
    "id": "900001",
    "relid": "XXX-2018-1-1-1",
    "year": "2018",
    "active_year": "1",
    "code_status": "Clear",
    "type_of_violence": "1",
    "conflict_new_id": "77",
    "conflict_name": "Ruritania: Government",
    "dyad_new_id": "707",
    "dyad_name": "Government of Ruritania - Blue Column",
    "side_a_new_id": "11",
    "side_a": "Government of Ruritania",
    "side_b_new_id": "22",
    "side_b": "Blue Column",
    "number_of_sources": "1",
    "source_article": '"Strelsau Courier,2018-03-10,Fighting reaches Zenda"',
    "source_office": "Strelsau Courier",
    "source_date": "2018-03-10",
    "source_headline": "Fighting reaches Zenda",
    "source_original": "a resident",
    "where_prec": "1",
    "where_coordinates": "Zenda town",
    "where_description": "near the bridge of Zenda",
    "adm_1": "Eastern province",
    "adm_2": "Zenda district",
    "latitude": "34.5",
    "longitude": "40.9",
    "geom_wkt": "POINT (40.9 34.5)",
    "priogrid_gid": "179722",
    "country": "Syria",
    "country_id": "652",
    "region": "Middle East",
    "event_clarity": "1",
    "date_prec": "1",
    "date_start": "2018-03-09 00:00:00.000",
    "date_end": "2018-03-09 00:00:00.000",
    "deaths_a": "1",
    "deaths_b": "2",
    "deaths_civilians": "0",
    "deaths_unknown": "0",
    "best": "3",
    "high": "4",
    "low": "3",
}


def row(**cells) -> dict[str, str]:
    """A row that is right, but for `cells`."""
    return ROW | cells


def ged(*rows, columns=COLUMNS, header=True, newline="\n") -> bytes:
    """The bytes of a file of these rows; without rows, of one that is right."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=newline)
    if header:
        writer.writerow(columns)
    writer.writerows([r.get(column, "") for column in columns] for r in rows or [ROW])
    return out.getvalue().encode()
