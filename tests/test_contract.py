"""One definition, many uses: contract, routes, table, features, documents, layers."""

import ast
import re
from dataclasses import fields

import psycopg
import pytest
from openapi_schema_validator import OAS30ReadValidator, oas30_format_checker
from openapi_spec_validator import OpenAPIV30SpecValidator

from api import components, forms, openapi
from api.parameters import ItemsQuery
from api.problems import KINDS
from api.schemas import PROPERTIES
from api.settings import Settings, variable
from conftest import CONTRACT, ITEMS, RESOURCES, ROOT, TILESET, operation, resolved
from world import WORLD

DOCUMENTS = {
    "/": "Landing",
    "/conformance": "Conformance",
    "/functions": "Functions",
    "/collections": "Collections",
    "/collections/events": "Collection",
    "/tileMatrixSets": "TileMatrixSets",
    "/tileMatrixSets/WebMercatorQuad": "TileMatrixSet",
    "/collections/events/tiles": "Tilesets",
    TILESET: "Tileset",
    f"{TILESET}?f=tilejson": "TileJSON",
}
SOURCES = sorted([*ROOT.glob("api/**/*.py"), *ROOT.glob("geo/**/*.py")])


def validate(document, schema):
    """The document fits the component `schema` of the contract."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": CONTRACT["components"]}
    checker = OAS30ReadValidator(whole, format_checker=oas30_format_checker)
    assert [error.message for error in checker.iter_errors(document)] == []


# The contract.


def test_the_written_half_of_the_contract_is_up_to_date():
    assert openapi.FILE.read_text(encoding="utf-8") == components.written(), "run make openapi"


def test_make_openapi_writes_it():
    recipe = (ROOT / "Makefile").read_text().partition("\nopenapi:")[2].split("\n\n")[0]
    assert f"-m {components.__name__}" in recipe


def test_the_contract_is_valid_openapi():
    OpenAPIV30SpecValidator(CONTRACT).validate()


def test_the_contract_has_every_route_and_no_other(visitor):
    routes = {
        (re.sub(r"<[^>]*>", "{}", rule.rule), method.lower())
        for rule in visitor.application.url_map.iter_rules()
        if rule.endpoint != "static"  # styles are no part of the interface
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert routes == {
        (re.sub(r"\{[^}]*\}", "{}", path), method)
        for path, item in CONTRACT["paths"].items()
        for method in item
    }


def test_every_operation_has_a_name_a_summary_and_a_tag():
    found = [op for item in CONTRACT["paths"].values() for op in item.values()]
    names = [op["operationId"] for op in found]
    assert len(names) == len(set(names))
    assert all(op["summary"] for op in found)
    assert {tag for op in found for tag in op["tags"]} == {tag["name"] for tag in CONTRACT["tags"]}


def test_who_has_a_form_may_be_sent_on_without_its_empty_fields():
    for path, item in CONTRACT["paths"].items():
        if "get" in item:
            assert ("303" in item["get"]["responses"]) == bool(forms.names(path)), path


def test_every_component_is_used():
    text = openapi.FILE.read_text(encoding="utf-8")
    for kind, named in CONTRACT["components"].items():
        for name in named:
            used = f"'#/components/{kind}/{name}'" in text or {name: []} in CONTRACT["security"]
            assert used or kind == "responses", f"{kind}/{name}"


def test_the_parameters_of_the_items_are_the_fields_of_their_query():
    listed = [resolved(p)["name"] for p in operation("GET", ITEMS)["parameters"]]
    queried = [field.data_key or name for name, field in ItemsQuery().fields.items()]
    assert sorted(listed) == sorted(queried)


def test_the_parameters_of_the_contract_are_described():
    for found in map(resolved, operation("GET", ITEMS)["parameters"]):
        assert found["description"].endswith((".", "`.")), found["name"]
        assert "null" not in str(found["schema"].get("enum", "")), found["name"]


@pytest.mark.requirement("G6")
def test_every_kind_of_problem_is_declared_where_it_can_happen():
    statuses = {str(status) for status, _ in KINDS.values()}
    described = CONTRACT["components"]["responses"]
    assert {f"Problem{status}" for status in statuses} | {
        "Unchanged",
        "Cleared",
    } == described.keys()
    for kind, (status, text) in KINDS.items():
        assert f"`{kind}`: {text}" in described[f"Problem{status}"]["description"]


# What goes out.


@pytest.mark.parametrize(("path", "schema"), DOCUMENTS.items())
def test_a_document_fits_its_schema(visitor, path, schema):
    validate(visitor.get(path).json, schema)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=10000",
            "limit=3",
            "properties=notes,tags",
            "skipGeometry=true",
            "resultType=hits",
        ),
        "limit=10000&crs=http://www.opengis.net/def/crs/EPSG/0/32637&geometry=footprint",
    ],
)
def test_a_page_of_events_fits_its_schema(visitor, query):
    validate(visitor.get(f"{ITEMS}?{query}").json, "EventCollection")


def test_every_event_by_itself_fits_its_schema(visitor):
    for event in WORLD[:20]:
        validate(visitor.get(f"{ITEMS}/{event['id']}").json, "EventFeature")


@pytest.mark.parametrize("path", ["/nowhere", f"{ITEMS}?limit=0&x=1", f"{ITEMS}/none"])
def test_a_problem_fits_its_schema(visitor, path):
    validate(visitor.get(path).json, "Problem")


def test_the_schemas_would_find_a_slip():
    with pytest.raises(AssertionError):
        validate({"title": "x", "links": [], "lnks": []}, "Landing")
    with pytest.raises(AssertionError):
        validate({"title": "x"}, "Landing")


def test_the_properties_of_every_event_are_those_of_the_schema_in_its_order(visitor):
    features = visitor.get(ITEMS, query_string={"limit": 10_000}).json["features"]
    assert len(features) == len(WORLD)
    for feature in features:
        assert list(feature["properties"]) == list(PROPERTIES)


def test_what_is_put_together_from_columns_is_what_was_stored(visitor):
    stored = visitor.get(ITEMS, query_string={"limit": 10_000}).json["features"]
    query = {"limit": 10_000, "properties": ",".join(PROPERTIES)}
    projected = visitor.get(ITEMS, query_string=query).json["features"]
    assert projected == stored
    names = [list(feature["properties"]) for feature in projected]
    assert names == [list(feature["properties"]) for feature in stored]
    for event in WORLD[:20]:
        alone = visitor.get(f"{ITEMS}/{event['id']}").json
        assert alone["properties"] in [feature["properties"] for feature in stored]


def test_every_property_is_a_column_of_its_name(world):
    kinds = {
        "Text": "text",
        "Whole": {"integer", "bigint"},
        "Number": "double precision",
        "Day": "date",
        "Instant": "timestamp with time zone",
        "List": {"ARRAY", "jsonb"},
    }
    with psycopg.connect(world) as conn:
        columns = dict(
            conn.execute(
                "SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = 'event'"
            ).fetchall()
        )
    for name, field in PROPERTIES.items():
        assert columns[name] in kinds[type(field).__name__], name


def test_what_the_table_allows_is_what_the_schema_allows(world):
    with psycopg.connect(world) as conn:
        checks = " ".join(
            row[0]
            for row in conn.execute(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE conrelid = 'event'::regclass AND contype = 'c'"
            )
        )
    for name, schema in CONTRACT["components"]["schemas"]["EventProperties"]["properties"].items():
        if "enum" in schema:
            (allowed,) = re.findall(rf"\({name} = ANY \(ARRAY\[([^\]]*)\]", checks)
            values = re.findall(r"'([^']*)'::text", allowed)
            assert values == [value for value in schema["enum"] if value is not None], name


# What comes in.


@pytest.mark.requirement("G6")
@pytest.mark.parametrize("path", RESOURCES)
def test_the_answers_of_a_resource_are_declared(visitor, path):
    """Every client of these tests looks at that (StrictClient); here is that it has to."""
    for headers in ({}, {"Accept": "text/html"}, {"If-None-Match": "*"}):
        answer = visitor.get(path, headers=headers)
        known = operation("GET", path)["responses"]
        assert str(answer.status_code) in known


# The documents for people.


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_problem_has_its_section(kind):
    text = (ROOT / "docs/problems.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([\w-]+)\n\n(\d+)\.", text, flags=re.MULTILINE))
    assert sections[kind] == str(KINDS[kind][0])
    assert sections.keys() == KINDS.keys()


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_in_the_readme(name):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"`{variable(name)}`" in text


def test_a_default_in_the_readme_is_the_default():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for field in fields(Settings):
        row = re.search(rf"^\| `{variable(field.name)}` \| (\d+) \|", text, flags=re.MULTILINE)
        if row:
            assert int(row[1]) == field.default, field.name
        else:
            assert not isinstance(field.default, int), field.name


# Who may import whom, and where SQL may stand.


def imports(path) -> set[str]:
    """Return the dotted names that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: names are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(names, *packages) -> set[str]:
    """Return those of `names` that are one of `packages` or in it."""
    return {name for name in names if any(f"{name}.".startswith(f"{p}.") for p in packages)}


@pytest.mark.parametrize("path", sorted(ROOT.glob("geo/**/*.py")), ids=lambda p: p.name)
def test_geo_knows_neither_http_nor_the_database_nor_the_service(path):
    assert not within(imports(path), "flask", "werkzeug", "psycopg", "psycopg_pool", "api")


HTTP = [*ROOT.glob("api/views/*.py")]
HTTP += [
    ROOT / f"api/{name}.py"
    for name in (
        "access",
        "answers",
        "links",
        "geojson",
        "collections",
        "tilesets",
        "html",
        "forms",
        "manual",
    )
]
HTTP += [ROOT / f"api/{name}.py" for name in ("fields", "cursors", "parameters", "regions")]
HTTP += [ROOT / "api/jsonschema.py"]


@pytest.mark.parametrize("path", HTTP, ids=lambda path: path.stem)
def test_what_speaks_http_does_not_speak_to_the_driver(path):
    found = imports(path)
    assert not within(found, "psycopg", "psycopg_pool", "api.page", "api.importers")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "db",
            "stream",
            "events",
            "keys",
            "places",
            "page",
            "conditions",
            "gazetteer",
            "geocoders",
            "tiles",
        ),
        *("fields", "cursors", "parameters", "schemas", "documents", "geocoding"),
    ],
)
def test_the_store_and_the_definitions_do_not_know_http(name):
    found = imports(ROOT / f"api/{name}.py")
    assert not within(found, "flask", "werkzeug", "api.views", "api.answers", "api.links")


def test_the_service_needs_nothing_of_the_developers():
    for path in SOURCES:
        if path.name != "components.py":
            found = imports(path)
            assert not within(found, "apispec", "pytest", "hypothesis", "api.components"), path


@pytest.mark.parametrize("name", ["conditions", "page"])
def test_the_pages_statements_are_pure(name):
    found = imports(ROOT / f"api/{name}.py")
    assert within(found, "psycopg") == within(found, "psycopg.sql"), "no connection, no I/O"


#: Words that only SQL is made of, as they begin a statement or a clause.
SQL_WORDS = re.compile(
    r"\b(SELECT\s|INSERT INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|MERGE INTO\s|CREATE TABLE"
    r"|COPY \w+ FROM|TRUNCATE\s|ALTER TABLE|DROP TABLE|ORDER BY\s|GROUP BY\s|UNION ALL"
    r"|ST_[A-Z]\w+\(|IS NULL)"
)
#: Where it may stand, besides sql/; the index of names, which geo/ reads, is a file of SQLite's.
MAY_SPEAK_SQL = {"api/conditions.py", "api/filtering.py", "api/page.py", "api/db.py"}
MAY_SPEAK_SQL |= {f"api/cql2/{name}.py" for name in ("compiler", "functions", "sets", "terms")}
MAY_SPEAK_SQL |= {"api/cql2/words.py", "api/cql2/writer.py"}  # CQL2 has some of the same words
MAY_SPEAK_SQL |= {"geo/gazetteer.py", "geo/index.py", "geo/places.py", "geo/reverse.py"}
SILENT = [
    path
    for path in SOURCES
    if str(path.relative_to(ROOT)) not in MAY_SPEAK_SQL and path.parent.name != "importers"
]


def strings(path):
    """Yield every text in a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield str(node.value)


@pytest.mark.parametrize("path", SILENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_stands_only_where_it_may(path):
    assert not [text for text in strings(path) if SQL_WORDS.search(text)]


def test_no_statement_is_made_by_formatting_text():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                text = "".join(part.value for part in node.values if isinstance(part, ast.Constant))
                assert not SQL_WORDS.search(text), f"{path}: {text}"
