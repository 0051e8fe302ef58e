"""Pages in a real browser: legible on a phone, by day and night, and asking nobody else."""

from urllib.parse import urlsplit

import pytest

from browser import remembering
from conftest import ITEMS, PLACES
from world import event_id

PAGES = [
    "/",
    "/conformance",
    "/functions",
    "/api.html",
    "/collections",
    "/collections/events",
    "/collections/events/queryables",
    f"{ITEMS}?limit=30&sortby=fatalities_best",
    f"{ITEMS}?limit=30&country=SDN",
    f"{ITEMS}/{event_id('truce')}",
    f"{ITEMS}/{event_id('end of January')}?geometry=footprint",
    f"{PLACES}?kind=border&limit=20",
    f"{PLACES}/country-JOR",
    "/geocode",
    "/geocode?q=Palmyra",
    f"{ITEMS}?near=Tripoli&limit=1",
    "/nowhere",
]

#: Every text whose colour is less than 4.5 times as light or dark as its ground (WCAG 2.2, 1.4.3).
FAINT = """() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${texts.currentNode.data.trim()}`);
  }
  return faint;
}"""

#: What reaches beyond the right edge of the window, unless its own container scrolls.
WIDE = """() => document.documentElement.scrollWidth > window.innerWidth
  ? [...document.querySelectorAll('body *')]
      .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1 && !e.closest('.scroll'))
      .map(e => e.outerHTML.slice(0, 120))
  : []"""


@pytest.fixture(scope="module", params=["360 light", "360 dark", "1200 light", "1200 dark"])
def window(request, chromium):
    """A window of a width in pixels, by day or by night, that remembers all it was told."""
    width, scheme = request.param.split()
    context = chromium.new_context(
        viewport={"width": int(width), "height": 740}, color_scheme=scheme
    )
    yield remembering(context.new_page())
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_is_legible_and_asks_nobody_else(server, window, path):
    window.heard.clear()
    window.asked.clear()
    answer = window.goto(f"{server}{path}", wait_until="networkidle")
    assert "text/html" in answer.headers["content-type"]
    assert window.evaluate(WIDE) == []
    assert window.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert window.evaluate(FAINT) == []
    assert {urlsplit(url).netloc for url in window.asked} == {urlsplit(server).netloc}
    # Chromium says of a page with an error status that it failed to load.
    said = [text for text in window.heard if answer.ok or "Failed to load resource" not in text]
    assert said == []


def test_day_and_night_differ(server, chromium):
    grounds = set()
    for scheme in ("light", "dark"):
        page = chromium.new_page(color_scheme=scheme)
        page.goto(server)
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert len(grounds) == 2


def test_a_form_works_in_a_browser(server, chromium):
    page = chromium.new_page()
    page.goto(f"{server}{ITEMS}")
    page.get_by_label("country", exact=True).fill("SDN")
    page.get_by_label("event_type", exact=True).select_option("Riots")
    page.get_by_label("limit", exact=True).fill("7")
    page.get_by_role("button", name="Show events").click()
    page.wait_for_url("**/items?*")
    assert urlsplit(page.url).query == "event_type=Riots&country=SDN&limit=7"
    assert page.locator("table.features > tbody").count() == 7
    first = page.locator("table.features > tbody > tr > th a").first.get_attribute("href")
    page.get_by_role("link", name="Next page").first.click()
    page.wait_for_url("**cursor=**")
    assert page.locator("table.features > tbody > tr > th a").first.get_attribute("href") != first
    page.close()


def test_the_keyboard_skips_to_the_content_and_opens_an_event(server, chromium):
    page = chromium.new_page()
    page.goto(f"{server}{ITEMS}?limit=3")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    page.locator("summary").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1
    page.close()


def test_arabic_is_written_from_the_right(server, chromium):
    page = chromium.new_page()
    page.goto(f"{server}{ITEMS}/{event_id('undated')}")
    name = page.locator("dd span", has_text="بغداد").first
    assert name.evaluate("e => getComputedStyle(e).direction") == "rtl"
    page.close()
