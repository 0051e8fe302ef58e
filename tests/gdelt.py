"""Rows in GDELT's layout, all of them invented."""

import io
import zipfile

from api.importers.gdelt import COLUMNS

ROW = dict.fromkeys(COLUMNS, "") | {
    "GLOBALEVENTID": "900000001",
    "SQLDATE": "20180309",
    "MonthYear": "201803",
    "Year": "2018",
    "FractionDate": "2018.1863",
    "Actor1Code": "RURMIL",
    "Actor1Name": "RURITANIA",
    "Actor1CountryCode": "RUR",
    "Actor1Type1Code": "MIL",
    "Actor2Code": "REB",
    "Actor2Name": "REBEL",
    "Actor2Type1Code": "REB",
    "IsRootEvent": "1",
    "EventCode": "190",
    "EventBaseCode": "190",
    "EventRootCode": "19",
    "QuadClass": "4",
    "GoldsteinScale": "-10.0",
    "NumMentions": "4",
    "NumSources": "1",
    "NumArticles": "4",
    "AvgTone": "-4.1289023162135",
    "ActionGeo_Type": "4",
    "ActionGeo_FullName": "Zenda, Al Hasakah, Syria",
    "ActionGeo_CountryCode": "SY",
    "ActionGeo_ADM1Code": "SY01",
    "ActionGeo_Lat": "34.5",
    "ActionGeo_Long": "40.9",
    "ActionGeo_FeatureID": "-1",
    "DATEADDED": "20180310093000",
    "SOURCEURL": "https://www.strelsau-courier.example/2018/zenda",
}


def row(**cells) -> dict[str, str]:
    """A row that is right, but for `cells`."""
    return ROW | cells


def as_tsv(*rows, newline="\n") -> bytes:
    """The bytes of a file; without rows, of one that is right."""
    return "".join("\t".join(r.values()) + newline for r in rows or [ROW]).encode()


def zipped(*contents) -> bytes:
    """The bytes of an archive of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, content in enumerate(contents):
            archive.writestr(f"{n}.export.CSV", content)
    return out.getvalue()
