"""MapLibre in a real browser, with the page of docs/tiles.md, on the tiles of the real server."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import urlsplit

import pytest
import requests

from browser import remembering
from conftest import ITEMS, ROOT
from world import event_id

LIBRARY = "maplibre-gl"
#: When everything has been fetched and drawn.
IDLE = "() => new Promise(done => { map.once('idle', done); map.triggerRepaint() })"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing: the browser tells what fails."""


@pytest.fixture(scope="module")
def page_of_the_guide(server, tmp_path_factory):
    """The page as docs/tiles.md has it, with its library beside it; it asks this server."""
    folder = tmp_path_factory.mktemp("map")
    (text,) = re.findall(r"```html\n(.*?)```", (ROOT / "docs/tiles.md").read_text(), re.DOTALL)
    text, sources = re.subn(rf"https://unpkg\.com/[^\"]*/({LIBRARY}\.\w+)", r"\1", text)
    text, services = re.subn(r"http://localhost:8000", server, text)
    assert (sources, services) == (2, 1)
    (folder / "index.html").write_text(text)
    (folder / "favicon.ico").touch()  # browsers ask for it
    for suffix in ("js", "css"):
        name = f"{LIBRARY}.{suffix}"
        (folder / name).write_bytes((files("maplibre") / "srcjs" / name).read_bytes())
    handler = partial(Quiet, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}/index.html"
        site.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def page(chromium, page_of_the_guide):
    """The page, open, with the map drawn."""
    made = remembering(chromium.new_page(viewport={"width": 800, "height": 600}))
    made.goto(page_of_the_guide)
    made.evaluate(IDLE)
    yield made
    made.close()


def go(page, longitude, latitude, zoom):
    """Move the map, and wait until it is drawn."""
    page.evaluate(f"map.jumpTo({{center: [{longitude}, {latitude}], zoom: {zoom}}})")
    page.evaluate(IDLE)


def located(server):
    """Return the events of the page's period that are on the map."""
    url = f"{server}{ITEMS}?datetime=2024-01-01/2024-12-31&limit=10000"
    features = requests.get(url, timeout=30).json()["features"]
    return [f for f in features if f["geometry"] and abs(f["geometry"]["coordinates"][1]) < 85]


def test_the_map_of_the_world_counts_every_event(server, page):
    go(page, 0, 0, 0)
    found = page.evaluate("map.querySourceFeatures('events', {sourceLayer: 'events'})")
    assert sum(f["properties"]["point_count"] for f in found) == len(located(server))
    drawn = page.evaluate("map.queryRenderedFeatures({layers: ['clusters']})")
    assert drawn, "the clusters are drawn, not only fetched"


def test_an_event_is_drawn_where_it_is_and_tells_of_itself(page):
    go(page, 38.6, 33.3, 11)
    drawn = page.evaluate("map.queryRenderedFeatures([400, 300], {layers: ['events']})")
    assert [f["properties"]["id"] for f in drawn] == [str(event_id("end of January"))]
    page.mouse.click(400, 300)
    told = page.locator(".maplibregl-popup-content").inner_text()
    assert "2024-01-15" in told
    assert "3 dead" in told


def test_nothing_went_wrong_and_nobody_else_was_asked(server, page, page_of_the_guide):
    assert page.heard == []
    hosts = {urlsplit(url).netloc for url in page.asked if url.startswith("http")}
    assert hosts == {urlsplit(server).netloc, urlsplit(page_of_the_guide).netloc}
    assert any("/WebMercatorQuad/0/0/0?" in url for url in page.asked)
